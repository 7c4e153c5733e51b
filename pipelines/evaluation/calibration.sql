-- Of the penguins with a probability near p, is a share p male?
--
-- Ten bins of equally many penguins (a constant has a single one).
-- Notice: of the penguins that the thumb gives 0.36, 89 % are male, and of those that it gives 0.79, 29 %: small males of one species,
-- large females of another. The models' gaps are as large as chance makes them: of 16 penguins with probability 0.5
-- the share may well be 0.3 or 0.7.
-- The limit: bins hide what happens inside them.
with

calibration as (
    {% for method in ["by_bill", "by_body", "thumb", "constant"] %}
    select '{{ method }}' as method, *
    from ml.calibration_curve(
        '(from evaluation.forecasts where method = ''{{ method }}'')', 'is_male', 'probability',
        bins := 10, strategy := 'quantile'
    )
    {{ "union all" if not loop.last }}
    {% endfor %}
)

select * from calibration
order by method, bin

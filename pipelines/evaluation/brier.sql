-- Is a forecast bad because it is not calibrated, or because it does not tell penguins apart?
--
-- Murphy's decomposition: Brier score = reliability (how far the shares are from what was said: less is better) - resolution (how
-- far the shares of the bins differ: more is better) + uncertainty (of the label itself) + what the bins hide.
-- Notice: the constant is reliable and has no resolution: its skill is zero. The thumb has half the resolution of the models, and
-- loses most of it again by claiming what is not so.
-- The limit: with few rows a bin, reliability is overstated, for every share misses by chance.
with

brier as (
    {% for method in ["by_bill", "by_body", "thumb", "constant"] %}
    select '{{ method }}' as method, *
    from ml.brier_decomposition(
        '(from evaluation.forecasts where method = ''{{ method }}'')', 'is_male', 'probability', bins := 10
    )
    {{ "union all" if not loop.last }}
    {% endfor %}
)

select * from brier
order by brier_score

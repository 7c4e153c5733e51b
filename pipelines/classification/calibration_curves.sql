-- Of the tumours that are given a probability near p, is a share p malignant?
--
-- The test rows in five bins of equal width, for each model.
-- Notice: gap is the mean probability less the share that is malignant. The weighted model's is above 0 in its middle
-- bins: it cries wolf.
-- The limit: the middle bins hold a handful of tumours each, and their shares are rough.
with

calibration_curves as (
    {% for model in ["malignant", "malignant_weighted", "malignant_platt", "malignant_isotonic", "malignant_temperature"] %}
    select '{{ model }}' as model, *
    from ml.calibration_curve(
        '(from classification.tumour_scores where part = ''test'' and model = ''{{ model }}'')',
        'is_malignant', 'probability', bins := 5
    )
    {{ "union all" if not loop.last }}
    {% endfor %}
)

select * from calibration_curves
order by model, bin

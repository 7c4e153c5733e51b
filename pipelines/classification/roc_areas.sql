-- How sure is the area under the ROC curve?
--
-- DeLong's interval, from how much single tumours matter to the area.
-- Notice: the weighted model, its Platt calibration and its temperature have one area, for they have one order. Isotonic
-- calibration makes ties, and its area is less.
-- The limit: comparing intervals is no test; two models on the same rows are compared by ml.delong_test
-- (pipeline evaluation).
with

roc_areas as (
    {% for model in ["malignant", "malignant_weighted", "malignant_platt", "malignant_isotonic", "malignant_temperature"] %}
    select '{{ model }}' as model, *
    from ml.roc_auc(
        '(from classification.tumour_scores where part = ''test'' and model = ''{{ model }}'')',
        'is_malignant', 'probability'
    )
    {{ "union all" if not loop.last }}
    {% endfor %}
)

select * from roc_areas
order by roc_auc desc

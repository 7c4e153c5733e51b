-- The probability of each model for the rows that it did not train on: calibration and test.
with

tumour_scores as (
    {% for model in ["malignant", "malignant_weighted", "malignant_platt", "malignant_isotonic", "malignant_temperature"] %}
    select
        '{{ model }}' as model,
        sample_id,
        part,
        diagnosis,
        diagnosis = 'malignant' as is_malignant,
        list_filter(predicted_diagnosis_probs, lambda p: p.label = 'malignant')[1].prob as probability,
    from ml.predict('{{ model }}', '(from classification.tumours where part <> ''training'')')
    {{ "union all" if not loop.last }}
    {% endfor %}
)

select * from tumour_scores
order by model, sample_id

-- How good are the five models on the test rows?
--
-- Metrics of three kinds. Of decisions at a probability of 0.5: accuracy, precision (of the alarms, how many were
-- right), recall (of the malignant tumours, how many were found), Matthews's correlation. Of the order of the
-- scores: the area under the ROC curve. Of the probabilities themselves: log loss, Brier score, and the expected
-- calibration error, by how far they miss what happens.
-- Notice: the weighted model finds more of the malignant tumours at 0.5 and orders them no better; its log loss is twice
-- that of malignant. Platt's correction and the temperature keep its order, and so its area. Platt's lowers the log loss,
-- the temperature does not, and isotonic calibration has the least calibration error and the greatest log loss: it gave
-- 0 to something that happened.
-- The limit: 171 tumours, of which 64 malignant. Recall moves by 0.016 with a single one.
with

test_scores as (
    select * from classification.tumour_scores
    where part = 'test'
),

rates as (
    select
        model,
        ml.accuracy(is_malignant, probability >= 5e-1) as accuracy,
        ml.precision(is_malignant, probability >= 5e-1) as precision,
        ml.recall(is_malignant, probability >= 5e-1) as recall,
        ml.matthews_correlation(is_malignant, probability >= 5e-1) as matthews_correlation,
        ml.roc_auc_score(is_malignant, probability) as roc_auc,
        ml.log_loss(is_malignant, probability) as log_loss,
        ml.brier_score(is_malignant, probability) as brier_score,
        count(*) as n,
    from test_scores
    group by model
),

errors as (
    {% for model in ["malignant", "malignant_weighted", "malignant_platt", "malignant_isotonic", "malignant_temperature"] %}
    select '{{ model }}' as model, expected_calibration_error
    from ml.calibration_error(
        '(from classification.tumour_scores where part = ''test'' and model = ''{{ model }}'')',
        'is_malignant', 'probability', bins := 5
    )
    {{ "union all" if not loop.last }}
    {% endfor %}
),

evaluation as (
    select * from rates
    join errors using (model)
)

select * from evaluation
order by log_loss

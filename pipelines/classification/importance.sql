-- Which measurements does the model look at most?
--
-- Two answers for the test rows. attribution: by how much a measurement moves the log-odds, on average. importance: by how
-- much the log loss grows when the measurement is shuffled among the tumours.
-- Notice: they need not agree. The model moves the log-odds by the fractal dimension in every row and is hardly better
-- for it: the standard deviation over shuffles is far greater than its importance.
-- The limit: neither says what causes the disease, nor what a model without the measurement would do instead.
with

importance as (
    select
        feature,
        attribution,
        importance,
        standard_deviation,
    from ml.global_explain('malignant', '(from classification.tumours where part = ''test'')')
    join ml.permutation_importance('malignant', '(from classification.tumours where part = ''test'')') using (feature)
)

select * from importance
order by attribution desc

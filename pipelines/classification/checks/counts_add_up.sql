-- The confusion matrix holds every test row once, and so does each row of the ROC curve.
with

totals as (
    select
        (select sum(n) from classification.tumour_confusion) as in_matrix,
        (select min(true_positives + false_positives + true_negatives + false_negatives) from classification.roc_curve)
            as least_in_curve,
        (select count(*) from classification.tumours where part = 'test') as n,
)

select * from totals
where in_matrix <> n or least_in_curve <> n or in_matrix is null or least_in_curve is null

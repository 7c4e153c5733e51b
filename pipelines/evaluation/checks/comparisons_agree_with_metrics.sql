-- The difference that a test is about is the difference of the two metrics.
with

differences as (
    select
        test,
        estimate,
        case test
            when 'DeLong' then a.roc_auc - b.roc_auc
            when 'paired t of log loss' then a.log_loss - b.log_loss
            else a.accuracy - b.accuracy
        end as difference,
    from evaluation.comparisons
    left join evaluation.metrics as a on a.method = method_a and a.species is null
    left join evaluation.metrics as b on b.method = method_b and b.species is null
)

select * from differences
where not coalesce(abs(estimate - difference) < 1e-12, false)

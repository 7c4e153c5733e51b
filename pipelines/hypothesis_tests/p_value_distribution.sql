-- What is a p-value?
--
-- The share of studies with a p-value of at most each threshold. If the null hypothesis is true and
-- so are the assumptions, p is uniform: it is at most 0.05 in 5 studies of 100, at most 0.5 in 50.
-- Notice: without a difference Student's p is uniform. Where the small arm is wilder, his test calls
-- five times as many differences as it promises; Welch's nearly keeps the promise. Where means do differ,
-- the share is the power: with 10 a side and one sd between them the test misses two in five.
-- The limit: a share of n_samples studies is uncertain itself; share_lower and share_upper bound it
-- with a confidence of 0.999.
with

thresholds as (select unnest([0.01, 0.05, 0.1, 0.5]) as threshold),

counted as (
    select
        scenario,
        method,
        threshold,
        count(*) filter (p_value <= threshold) as n_at_most,
        count(*) as n_studies,
    from hypothesis_tests.simulated_tests
    cross join thresholds
    group by scenario, method, threshold
),

bounded as (
    select
        *,
        ml.proportion_interval(n_at_most, n_studies, confidence_level := 0.999) as share,
    from counted
),

p_value_distribution as (
    select
        scenario,
        method,
        threshold,
        share.estimate as share,
        share.ci_lower as share_lower,
        share.ci_upper as share_upper,
        n_studies,
    from bounded
)

select * from p_value_distribution
order by scenario, method, threshold

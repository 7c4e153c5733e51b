-- Does an interval of confidence_level hold the truth as often as it says?
--
-- Two ways to know. For means: count the simulated studies whose interval holds the true difference.
-- For shares no draws are needed: the number of successes among n is binomial, so the coverage is the
-- sum of the probabilities of the outcomes whose interval holds the true share, exactly.
-- Notice: Student's interval fails where Student's test does, for they are one and the same. Wald's
-- interval of a share, the one that every first course teaches, holds a share of 0.05 in 64 of 100
-- samples of 20, not in 95; Wilson's 92, and Clopper and Pearson's never fewer than promised.
-- The limit: coverage says nothing of the one interval at hand, which holds the truth or does not.
with

means as (
    select
        'mean difference' as parameter,
        scenario as situation,
        method,
        count(*) filter (truth between ci_lower and ci_upper) as held,
        count(*) as n_studies,
        avg(ci_upper - ci_lower) as mean_width,
    from hypothesis_tests.simulated_tests
    group by scenario, method
),

mean_coverage as (
    select
        parameter,
        situation,
        method,
        held / n_studies as coverage,
        ml.proportion_interval(held, n_studies, confidence_level := 0.999) as bounds,
        mean_width,
    from means
),

outcomes as (
    {% for method in ["wald", "wilson", "agresti-coull", "jeffreys", "clopper-pearson"] %}
    select
        '{{ method }}' as method,
        n,
        p,
        ml.binomial_pmf(k, n, p) as probability,
        ml.proportion_interval(k, n, method := '{{ method }}', confidence_level := {{ confidence_level }}) as interval,
    from (values (20, 0.05), (20, 0.5), (200, 0.05)) as truths(n, p), range(n + 1) as counts(k)
    {{ "union all" if not loop.last }}
    {% endfor %}
),

share_coverage as (
    select
        'share' as parameter,
        format('{} of {}', p, n) as situation,
        method,
        coalesce(sum(probability) filter (p between interval.ci_lower and interval.ci_upper), 0) as coverage,
        sum(probability * (interval.ci_upper - interval.ci_lower)) as mean_width,
    from outcomes
    group by n, p, method
),

interval_coverage as (
    select
        parameter,
        situation,
        method,
        coverage,
        bounds.ci_lower as coverage_lower,
        bounds.ci_upper as coverage_upper,
        mean_width,
    from mean_coverage
    union all
    select parameter, situation, method, coverage, coverage, coverage, mean_width from share_coverage
)

select * from interval_coverage
order by parameter, situation, method

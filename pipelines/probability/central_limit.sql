-- From how many observations on is a mean normal?
--
-- The Kolmogorov distance between the standardised means and the normal distribution: the greatest
-- difference of their distribution functions. For real delays and four simulated families.
-- Notice: the distance falls as 1 / sqrt(sample size) or so, from far out for skewed data and at
-- once for symmetric. What is left at 200 is mostly the noise of the samples: with n_samples of 2,000 a
-- perfect normal would show about 0.02.
with

population as (
    select avg(arrival_delay) as mean, stddev_pop(arrival_delay) as sd
    from probability.departures
),

standardised as (
    select
        sample_size,
        (delays.mean - population.mean) / (population.sd / sqrt(sample_size)) as z,
    from probability.delays_at_random as delays
    cross join population
),

ranked as (
    select
        sample_size,
        ml.normal_cdf(z) as expected,
        cume_dist() over (partition by sample_size order by z) as at_most,
        (rank() over (partition by sample_size order by z) - 1) / count(*) over (partition by sample_size) as below,
    from standardised
),

central_limit as (
    select 'delays' as population, sample_size, max(greatest(at_most - expected, expected - below)) as distance
    from ranked
    group by sample_size
{% for name, numbers in [("uniform", "[0, 1]"), ("exponential", "[7]"), ("lognormal", "[1]"), ("geometric", "[0.2]")] %}
{% for size in [5, 30, 200] %}
    union all
    select '{{ name }}', {{ size }}, any_value(kolmogorov_distance)
    from ml.simulate_clt('{{ name }}', {{ numbers }}, sample_size := {{ size }}, n_samples := {{ n_samples }}, seed := {{ seed }})
{% endfor %}
{% endfor %}
)

select * from central_limit
order by population, sample_size

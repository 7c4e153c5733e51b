-- Does a 95 % confidence interval hold the mean 95 times in 100?
--
-- From every sample the interval mean ± t · sd / sqrt(n), as one would who has only that sample; the
-- mean of the population is known here, so the hits can be counted. Beside the delays, samples of a
-- normal distribution, for which the interval is exact.
-- Notice: with 5 delays it holds the mean about 85 times in 100, and it misses mostly on one side: a
-- sample without a very late flight is both too low and too sure. With 200 it nearly keeps its word.
with

population as (select avg(arrival_delay) as mean from probability.departures),

normal_draws as (
    select
        sample_size,
        sample,
        ml.normal_random({{ seed }}, 1000000 * sample_size + sample * sample_size + draw) as y,
    from (select unnest([5, 30, 200]) as sample_size),
        range({{ n_samples }}) as samples(sample),
        range(sample_size) as draws(draw)
),

samples as (
    select 'delays' as population, sample_size, delays.mean, sd, population.mean as truth
    from probability.delays_at_random as delays
    cross join population
    union all
    select 'normal', sample_size, avg(y), stddev_samp(y), 0
    from normal_draws
    group by sample_size, sample
),

quantiles as (
    select sample_size, ml.t_quantile(0.975, sample_size - 1) as t
    from (select unnest([5, 30, 200]) as sample_size)
),

judged as (
    select
        population,
        sample_size,
        mean - t * sd / sqrt(sample_size) <= truth and truth <= mean + t * sd / sqrt(sample_size) as holds,
        mean + t * sd / sqrt(sample_size) < truth as is_below,
    from samples
    join quantiles using (sample_size)
),

hits as (
    select
        population,
        sample_size,
        count(*) filter (holds) as held,
        count(*) as n_samples,
        avg(is_below::int) as missed_below,
    from judged
    group by population, sample_size
),

coverage as (
    select
        population,
        sample_size,
        held / n_samples as coverage,
        missed_below,
        1 - coverage - missed_below as missed_above,
        n_samples,
        ml.beta_binomial_posterior(held, n_samples, confidence_level := 0.999) as posterior,
    from hits
)

select * exclude (posterior), posterior.ci_lower as coverage_lower, posterior.ci_upper as coverage_upper
from coverage
order by population, sample_size

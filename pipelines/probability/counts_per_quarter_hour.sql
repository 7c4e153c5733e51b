-- Do departures from Newark come like calls at a switchboard?
--
-- Actual departures in each quarter of an hour from 8 to 20 o'clock, against three models with the
-- mean of the data: Poisson (rare, independent events at a constant rate), binomial (20 slots, each
-- taken or not) and the normal approximation with the continuity correction.
-- Notice: the variance, 5.7, is a fifth above the mean of 4.8, so that both ends are more frequent
-- than Poisson's: the rate is not the same in all hours and weathers. The normal approximation is
-- symmetric and the counts are not; slots that are taken or not vary less still.
with

moments as (
    select date_trunc('minute', time_hour at time zone 'America/New_York')
        + to_minutes(minute) + to_minutes(dep_delay::bigint) as departed_at,
    from nycflights13.flights
    where origin = 'EWR' and dep_delay is not null
),

counted as (
    select time_bucket(interval 15 minutes, departed_at) as quarter, count(*) as departures
    from moments
    where hour(departed_at) between 8 and 19
    group by quarter
),

-- a quarter of an hour without a departure is a count of 0 and no row of the source
quarters as (
    select departures from counted
    union all
    select 0 from range(365 * 12 * 4 - (select count(*) from counted))
),

totals as (
    select avg(departures) as mean, var_samp(departures) as variance, count(*) as n
    from quarters
),

observed as (
    select departures, count(*) as quarters
    from quarters
    group by departures
),

values_from_0 as (select unnest(range(21)) as departures),

counts_per_quarter_hour as (
    select
        departures,
        coalesce(quarters, 0) as quarters,
        coalesce(quarters, 0) / n as observed,
        ml.poisson_pmf(departures, mean) as poisson,
        ml.binomial_pmf(departures, 20, mean / 20) as binomial,
        ml.normal_cdf(departures + 0.5, mean, sqrt(variance))
            - ml.normal_cdf(departures - 0.5, mean, sqrt(variance)) as normal,
        mean,
        variance,
    from values_from_0
    left join observed using (departures)
    cross join totals
)

select * from counts_per_quarter_hour
order by departures

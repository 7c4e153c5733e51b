-- How long is the wait from one departure to the next?
--
-- If departures came independently at a constant rate, the gaps would be exponential, with the
-- survival function exp(-gap / mean). Gaps at Newark from 8 to 20 o'clock. The clock shows whole
-- minutes: a gap counts as k or more if it exceeds k less the seconds since the minute began, which
-- may be any, and the mean of exp(-(k - u) / mean) over u in [0, 1] is by_the_clock.
-- Notice: against the plain exponential the first minutes look wrong; by the clock they agree to 0.02.
-- Long waits are more frequent than the model says, for some hours are quiet.
with

moments as (
    select date_trunc('minute', time_hour at time zone 'America/New_York')
        + to_minutes(minute) + to_minutes(dep_delay::bigint) as departed_at,
    from nycflights13.flights
    where origin = 'EWR' and dep_delay is not null
),

waits as (
    select
        date_diff('minute', lag(departed_at) over (order by departed_at), departed_at) as gap,
        departed_at,
    from moments
    qualify hour(departed_at) between 8 and 19 and gap < 120
),

means as (select avg(gap) as mean_gap from waits),

counted as (select gap, count(*) as n from waits group by gap),

gaps as (
    select
        gap,
        n,
        n / sum(n) over () as observed,
        sum(n) over (order by gap desc) / sum(n) over () as observed_at_least,
        ml.exponential_sf(gap, mean_gap) as exponential_at_least,
        case when gap = 0 then 1
            else ml.exponential_sf(gap, mean_gap) * mean_gap * ml.expm1(1 / mean_gap) end as by_the_clock,
        mean_gap,
    from counted
    cross join means
)

select * from gaps
order by gap

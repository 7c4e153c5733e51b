-- The same by airport.
select
    origin,
    departed_at as known_at,
    any_value(recent_delay) as airport_delay,
    any_value(recent_departures) as airport_departures,
from (
    select
        origin,
        departed_at,
        avg(dep_delay) over recent as recent_delay,
        count(*) over recent as recent_departures,
    from feature_engineering.departures
    where departed_at is not null
    window recent as (
        partition by origin order by departed_at
        range between interval {{ hours_back }} hours preceding and current row
    )
)
group by origin, departed_at

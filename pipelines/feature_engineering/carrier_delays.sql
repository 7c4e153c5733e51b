-- How late each carrier left in the hours up to each of its departures: from then on it is known.
select
    carrier,
    departed_at as known_at,
    any_value(recent_delay) as carrier_delay,
    any_value(recent_departures) as carrier_departures,
from (
    select
        carrier,
        departed_at,
        avg(dep_delay) over recent as recent_delay,
        count(*) over recent as recent_departures,
    from feature_engineering.departures
    where departed_at is not null
    window recent as (
        partition by carrier order by departed_at
        range between interval {{ hours_back }} hours preceding and current row
    )
)
group by carrier, departed_at

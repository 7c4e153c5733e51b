-- The carrier as it stands when the prediction is made, over all three airports.
--
-- The same line of time as in airport_state.sql, by carrier.
with

events as (
    select carrier, departed_at as minute, departure_delay_minutes as delay, 0 as joins_queue,
    from flights.legs
    where departed_at is not null
    union all
    select carrier, scheduled_departure_at, null, 1,
    from flights.legs
    union all
    select
        carrier,
        greatest(
            scheduled_departure_at,
            coalesce(departed_at, scheduled_departure_at + interval 6 hours)
        ),
        null,
        -1,
    from flights.legs
    union all
    select carrier, predicted_at, null, null,
    from flights.legs
),

minutes as (
    select
        carrier,
        minute,
        sum(delay)::double as delay,
        count(delay)::double as departures,
        coalesce(sum(joins_queue), 0)::double as joins_queue,
        if(count(joins_queue) > 0, minute, null) as happened_at,
    from events
    group by carrier, minute
),

windows as (
    select
        carrier,
        minute,
        sum(delay) over last_three_hours as delay_3h,
        sum(departures) over last_three_hours as departures_3h,
        sum(joins_queue) over so_far as waiting,
        max(happened_at) over so_far as known_at,
    from minutes
    window
        last_three_hours as (
            partition by carrier order by minute
            range between interval 3 hours preceding and current row
        ),
        so_far as (partition by carrier order by minute rows unbounded preceding)
),

carrier_state as (
    select
        legs.flight_id,
        delay_3h / nullif(departures_3h, 0) as carrier_delay_3h,
        departures_3h as carrier_departures_3h,
        waiting as carrier_waiting,
        known_at,
    from flights.legs as legs
    join windows on legs.carrier = windows.carrier and legs.predicted_at = windows.minute
)

select * from carrier_state
order by flight_id

-- The origin as it stands when the prediction is made: recent departures and the queue.
--
-- Everything that happens at an airport is laid on one line of time, minute by minute; a window up
-- to the minute of a prediction then sees what had happened by then, and nothing else.
with

events as (
    -- a flight leaves
    select origin, departed_at as minute, departure_delay_minutes as delay, 0 as joins_queue,
    from flights.legs
    where departed_at is not null
    union all
    -- a flight waits from its scheduled departure on
    select origin, scheduled_departure_at, null, 1,
    from flights.legs
    union all
    -- until it leaves; when it is cancelled is not recorded, so it counts for six hours
    select
        origin,
        greatest(
            scheduled_departure_at,
            coalesce(departed_at, scheduled_departure_at + interval 6 hours)
        ),
        null,
        -1,
    from flights.legs
    union all
    -- nothing happens, but the state is asked for
    select origin, predicted_at, null, null,
    from flights.legs
),

minutes as (
    select
        origin,
        minute,
        sum(delay)::double as delay,
        count(delay)::double as departures,
        coalesce(sum(joins_queue), 0)::double as joins_queue,
        if(count(joins_queue) > 0, minute, null) as happened_at,
    from events
    group by origin, minute
),

windows as (
    select
        origin,
        minute,
        sum(delay) over last_hour as delay_1h,
        sum(departures) over last_hour as departures_1h,
        sum(delay) over last_three_hours as delay_3h,
        sum(departures) over last_three_hours as departures_3h,
        sum(joins_queue) over so_far as waiting,
        max(happened_at) over so_far as known_at,
    from minutes
    window
        last_hour as (
            partition by origin order by minute
            range between interval 1 hour preceding and current row
        ),
        last_three_hours as (
            partition by origin order by minute
            range between interval 3 hours preceding and current row
        ),
        so_far as (partition by origin order by minute rows unbounded preceding)
),

airport_state as (
    select
        legs.flight_id,
        delay_1h / nullif(departures_1h, 0) as origin_delay_1h,
        delay_3h / nullif(departures_3h, 0) as origin_delay_3h,
        departures_1h as origin_departures_1h,
        waiting as origin_waiting,
        known_at,
    from flights.legs as legs
    join windows on legs.origin = windows.origin and legs.predicted_at = windows.minute
)

select * from airport_state
order by flight_id

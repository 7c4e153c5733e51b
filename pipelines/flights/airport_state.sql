-- The origin as it stands when the prediction is made: recent departures and the queue.
--
-- Everything that happens at an airport is laid on one line of time, minute by minute; a window up
-- to the minute of a prediction then sees what had happened by then, and nothing else.
{% import "line_of_time.j2" as line %}
with

{{ line.windows("origin", [1, 3]) }}

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

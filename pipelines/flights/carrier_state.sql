-- The carrier as it stands when the prediction is made, over all three airports.
{% import "line_of_time.j2" as line %}
with

{{ line.windows("carrier", [3]) }}

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

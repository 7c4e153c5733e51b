-- Flights to predict: what is known in advance, when the prediction is made, and whether they were late.
--
-- Moments are wall clocks of New York. A flight is late if it arrives more than delay_minutes after
-- schedule; what was cancelled or diverted never arrived and has no label.
select
    row_number() over (order by scheduled_at, carrier, flight) as flight_id,
    *,
from (
    select
        make_timestamp(year, month, day, hour, minute, 0) as scheduled_at,
        scheduled_at - to_hours({{ notice_hours }}) as predicted_at,
        carrier,
        flight,
        tailnum as tail_number,
        origin,
        dest as destination,
        distance,
        dep_delay,
        scheduled_at + to_minutes(dep_delay) as departed_at,
        arr_delay > {{ delay_minutes }} as is_late,
        scheduled_at >= {{ test_from }} as is_test,
    from nycflights13.flights
)

-- What is known of the aircraft when the prediction is made: its previous leg out of New York.
--
-- The data has departures from New York only. The way back is not in it, but it takes about as long
-- as the way out, so the slack is what the schedule leaves after both.
-- That the tail number is assigned two hours ahead is an assumption; the data has the one that flew.
with

sequence as (
    select
        *,
        lag(flight_id) over aircraft as previous_flight_id,
    from flights.legs
    where tail_number is not null
    window aircraft as (partition by tail_number order by scheduled_departure_at, flight_id)
),

previous as (
    select
        leg.flight_id,
        leg.predicted_at,
        leg.scheduled_departure_at,
        earlier.scheduled_departure_at as previous_scheduled_at,
        earlier.departed_at <= leg.predicted_at as has_departed,
        earlier.arrived_at <= leg.predicted_at as has_arrived,
        earlier.scheduled_departure_at <= leg.predicted_at as was_due,
        if(has_departed, earlier.departed_at, null) as seen_departing_at,
        if(has_arrived, earlier.arrived_at, null) as seen_arriving_at,
        if(has_departed, earlier.departure_delay_minutes, null) as previous_departure_delay,
        if(has_arrived, earlier.arrival_delay_minutes, null) as previous_arrival_delay,
        date_diff('minute', earlier.scheduled_arrival_at, leg.scheduled_departure_at)
            - date_diff('minute', earlier.scheduled_departure_at, earlier.scheduled_arrival_at)
            as slack_minutes,
        date_diff('minute', earlier.scheduled_departure_at, leg.predicted_at) as overdue_minutes,
    from sequence as leg
    join flights.legs as earlier on leg.previous_flight_id = earlier.flight_id
    -- after a day on the ground or elsewhere, what was late then says nothing now
    where earlier.scheduled_departure_at > leg.scheduled_departure_at - interval 24 hours
),

inbound as (
    select
        flight_id,
        case
            when has_arrived then 'arrived'
            when has_departed then 'in the air'
            when was_due then 'overdue'
            else 'not due yet'
        end as aircraft_state,
        previous_departure_delay,
        previous_arrival_delay,
        slack_minutes,
        -- the best single guess of how late the aircraft is now; overdue: at least this much
        case
            when has_arrived then previous_arrival_delay
            when has_departed then previous_departure_delay
            when was_due then overdue_minutes
        end as aircraft_delay,
        -- the delay that the slack does not absorb, if the way back takes as long as the way out
        greatest(aircraft_delay - greatest(slack_minutes, 0), 0) as carried_delay,
        greatest(seen_departing_at, seen_arriving_at) as known_at,
    from previous
)

select * from inbound
order by flight_id

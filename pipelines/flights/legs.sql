-- One row per scheduled departure from New York in 2013, with every moment an instant in UTC.
--
-- The source keeps wall clocks: dep_time 2400 is midnight, a flight due at 2355 may leave at 0140,
-- and arr_time is the clock of the destination. So the moments are built from time_hour (an
-- instant), the delays (minutes) and the time zone of the destination. Rebuilding the wall clocks
-- from them gives dep_time for all 328,521 departures and arr_time for all but one arrival.
--
-- A cancelled or diverted flight has no arrival delay. It stays here, because it queued like the
-- others and used a seat of the schedule, but its is_late is NULL: whether a flight that never
-- arrives is late is another question, and no model below learns from it or is judged on it.
with

destinations as (
    select
        faa as dest,
        tzone as time_zone,
    from nycflights13.airports
),

scheduled as (
    select
        flights.*,
        (time_hour at time zone 'UTC') + to_minutes(minute) as scheduled_departure_at,
        make_timestamp(year, month, day, hour, minute, 0) as scheduled_departure_local,
        make_timestamp(year, month, day, sched_arr_time // 100, sched_arr_time % 100, 0)
            as arrival_clock,
        -- the four that the airport table lacks are in Puerto Rico and the Virgin Islands
        coalesce(time_zone, 'America/Puerto_Rico') as destination_time_zone,
    from nycflights13.flights as flights
    left join destinations on flights.dest = destinations.dest
),

-- a scheduled arrival is the first time after departure that the clock at the destination shows it
landing as (
    select
        *,
        arrival_clock at time zone destination_time_zone at time zone 'UTC' as same_day,
        (arrival_clock + interval 1 day) at time zone destination_time_zone at time zone 'UTC'
            as next_day,
        if(same_day > scheduled_departure_at, same_day, next_day) as scheduled_arrival_at,
    from scheduled
),

legs as (
    select
        row_number() over (order by scheduled_departure_at, carrier, flight) as flight_id,
        carrier,
        flight as flight_number,
        tailnum as tail_number,
        origin,
        dest as destination,
        distance as distance_miles,
        scheduled_departure_local,
        scheduled_departure_at,
        scheduled_arrival_at,
        scheduled_departure_at - to_hours({{ notice_hours }}) as predicted_at,
        scheduled_departure_at + to_minutes(dep_delay) as departed_at,
        scheduled_arrival_at + to_minutes(arr_delay) as arrived_at,
        dep_delay as departure_delay_minutes,
        arr_delay as arrival_delay_minutes,
        case
            when dep_time is null then 'cancelled'
            when arr_delay is null then 'diverted'
            else 'arrived'
        end as status,
        arr_delay > {{ delay_minutes }} as is_late,
    from landing
)

select * from legs
order by flight_id

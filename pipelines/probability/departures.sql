-- What is known of each flight that arrived?
--
-- The sample space of the chapter: one row, one outcome, all equally likely to be drawn. Events
-- are its BOOLEAN columns. Cancelled and diverted flights never arrived and are left out, so every
-- probability below is one given that the flight arrived.
-- Notice: is_wet is NULL where the weather of the hour is unknown. NULL is not false.
with

departures as (
    select
        row_number() over (order by flights.time_hour, flights.carrier, flights.flight, flights.origin) as flight_id,
        flights.time_hour,
        flights.month,
        flights.day,
        flights.carrier,
        flights.origin,
        flights.hour,
        flights.dep_delay as departure_delay,
        flights.arr_delay as arrival_delay,
        flights.arr_delay > {{ delay_minutes }} as is_late,
        flights.dep_delay > {{ delay_minutes }} as left_late,
        weather.precip > 0 as is_wet,
        case
            when flights.hour < 12 then 'morning'
            when flights.hour < 18 then 'afternoon'
            else 'evening'
        end as part_of_day,
    from nycflights13.flights as flights
    left join nycflights13.weather as weather
        on flights.origin = weather.origin and flights.time_hour = weather.time_hour
    where flights.arr_delay is not null
)

select * from departures
order by flight_id

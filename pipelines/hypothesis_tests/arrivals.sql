-- What is compared in this chapter: every flight that arrived, with its delays in minutes.
--
-- One row per arrived flight of 2013; cancelled and diverted flights never arrived and are left out.
-- Notice: made_up is what a flight made up in the air, and may be negative.
-- The limit: flights of one day share its weather, so they are not independent draws. The steps below
-- say where that matters.
with

arrivals as (
    select
        row_number() over (order by time_hour, carrier, flight, origin) as flight_id,
        make_date(year, month, day) as flight_date,
        carrier,
        origin,
        dest as destination,
        arr_delay as arrival_delay,
        dep_delay as departure_delay,
        dep_delay - arr_delay as made_up,
        air_time,
        arr_delay > 30 as is_late,
    from nycflights13.flights
    where arr_delay is not null
)

select * from arrivals
order by flight_id

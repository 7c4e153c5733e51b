-- Hourly weather at the three origins, with the moment from which it is known.
--
-- An observation is labelled with the hour it opens, and its precipitation is that of the hour, so
-- nobody has it before the hour is over.
with

weather as (
    select
        origin,
        (time_hour at time zone 'UTC') + interval 1 hour as known_at,
        temp as temperature_f,
        dewp as dew_point_f,
        humid as humidity_percent,
        -- one reading of 1048 mph at Newark on 12 February; hurricanes stay below 220
        if(wind_speed < 220, wind_speed, null) as wind_speed_mph,
        wind_gust as wind_gust_mph,
        precip as precipitation_in,
        pressure as pressure_mb,
        visib as visibility_miles,
    from nycflights13.weather
)

select * from weather
order by origin, known_at

-- The chance that a flight arrives late, from what is known two hours before it is due to leave.
-- The months from test_from on are held out: ml.evaluate('late_arrival') reports on those.
CREATE OR REPLACE MODEL late_arrival
TRANSFORM (
    ML.STANDARD_SCALER(aircraft_delay) OVER () AS aircraft_delay,
    ML.STANDARD_SCALER(log_aircraft_delay) OVER () AS log_aircraft_delay,
    ML.STANDARD_SCALER(carried_delay) OVER () AS carried_delay,
    ML.STANDARD_SCALER(log_carried_delay) OVER () AS log_carried_delay,
    ML.STANDARD_SCALER(previous_departure_delay) OVER () AS previous_departure_delay,
    ML.STANDARD_SCALER(previous_arrival_delay) OVER () AS previous_arrival_delay,
    ML.STANDARD_SCALER(slack_minutes) OVER () AS slack_minutes,
    ML.STANDARD_SCALER(origin_delay_1h) OVER () AS origin_delay_1h,
    ML.STANDARD_SCALER(log_origin_delay_1h) OVER () AS log_origin_delay_1h,
    ML.STANDARD_SCALER(origin_delay_3h) OVER () AS origin_delay_3h,
    ML.STANDARD_SCALER(log_origin_delay_3h) OVER () AS log_origin_delay_3h,
    ML.STANDARD_SCALER(origin_departures_1h) OVER () AS origin_departures_1h,
    ML.STANDARD_SCALER(origin_waiting) OVER () AS origin_waiting,
    ML.STANDARD_SCALER(origin_scheduled) OVER () AS origin_scheduled,
    ML.STANDARD_SCALER(carrier_delay_3h) OVER () AS carrier_delay_3h,
    ML.STANDARD_SCALER(log_carrier_delay_3h) OVER () AS log_carrier_delay_3h,
    ML.STANDARD_SCALER(carrier_departures_3h) OVER () AS carrier_departures_3h,
    ML.STANDARD_SCALER(carrier_waiting) OVER () AS carrier_waiting,
    ML.STANDARD_SCALER(destination_delay_6h) OVER () AS destination_delay_6h,
    ML.STANDARD_SCALER(log_destination_delay_6h) OVER () AS log_destination_delay_6h,
    ML.STANDARD_SCALER(flight_late_share) OVER () AS flight_late_share,
    ML.STANDARD_SCALER(route_late_share) OVER () AS route_late_share,
    ML.STANDARD_SCALER(temperature_f) OVER () AS temperature_f,
    ML.STANDARD_SCALER(dew_point_f) OVER () AS dew_point_f,
    ML.STANDARD_SCALER(humidity_percent) OVER () AS humidity_percent,
    ML.STANDARD_SCALER(wind_speed_mph) OVER () AS wind_speed_mph,
    ML.STANDARD_SCALER(wind_gust_mph) OVER () AS wind_gust_mph,
    ML.STANDARD_SCALER(precipitation_in) OVER () AS precipitation_in,
    ML.STANDARD_SCALER(is_wet) OVER () AS is_wet,
    ML.STANDARD_SCALER(pressure_mb) OVER () AS pressure_mb,
    ML.STANDARD_SCALER(visibility_miles) OVER () AS visibility_miles,
    ML.STANDARD_SCALER(distance_miles) OVER () AS distance_miles,
    ML.STANDARD_SCALER(scheduled_minutes) OVER () AS scheduled_minutes,
    ML.STANDARD_SCALER(seats) OVER () AS seats,
    ML.STANDARD_SCALER(aircraft_age_years) OVER () AS aircraft_age_years,
    ML.ONE_HOT_ENCODER(departure_hour) OVER () AS departure_hour,
    ML.ONE_HOT_ENCODER(weekday) OVER () AS weekday,
    ML.ONE_HOT_ENCODER(origin) OVER () AS origin,
    ML.ONE_HOT_ENCODER(destination) OVER () AS destination,
    ML.ONE_HOT_ENCODER(carrier) OVER () AS carrier,
    ML.ONE_HOT_ENCODER(aircraft_state) OVER () AS aircraft_state,
    is_test,
    is_late
)
OPTIONS (
    model_type = 'logistic_reg',
    input_label_cols = ['is_late'],
    data_split_method = 'custom',
    data_split_col = 'is_test',
    -- some features tell nearly the same; a little penalty keeps their weights readable
    l2_reg = 1.0
)
AS
select * exclude (arrival_delay_minutes) from flights.training

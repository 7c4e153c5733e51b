-- After: what was known at the time, and columns in a form that a straight line can use.
--
-- Destinations become their share of late flights, learnt from other folds than the row's own; the hour goes
-- round a circle; delays are made nearly normal; what is not known is said, and stands at the mean.
CREATE OR REPLACE MODEL late_after
TRANSFORM (
    carrier,
    origin,
    ML.TARGET_ENCODER(destination, is_late) OVER () AS destination_late,
    ML.CYCLICAL(departure_hour, 24) AS hour_of_day,
    departure_hour,
    ML.STANDARD_SCALER(distance) OVER () AS distance,
    ML.YEO_JOHNSON(carrier_delay) OVER () AS carrier_delay,
    ML.YEO_JOHNSON(airport_delay) OVER () AS airport_delay,
    ML.MISSING_INDICATOR(carrier_delay) AS carrier_silent,
    ML.WINSORIZER(airport_departures, 0.01, 0.99) OVER () AS airport_departures,
    is_late,
    is_test
)
OPTIONS (
    model_type = 'logistic_reg',
    input_label_cols = ['is_late'],
    data_split_method = 'custom',
    data_split_col = 'is_test',
    l2_reg = 1.0
)
AS
select
    carrier, origin, destination, departure_hour, distance,
    carrier_delay, airport_delay, airport_departures, is_late, is_test,
from feature_engineering.features

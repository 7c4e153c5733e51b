-- Which columns tell something of lateness, one by one? In nats, with the test of no relation.
select *
from ml.select_features(
    '(from feature_engineering.features where not is_test)', 'is_late',
    ['carrier', 'origin', 'destination', 'distance', 'departure_hour', 'carrier_delay', 'carrier_departures',
        'airport_delay', 'airport_departures', 'flight'],
    adjust := 'fdr'
)

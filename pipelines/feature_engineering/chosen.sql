-- Which few tell most together? What repeats another comes later.
select *
from ml.mrmr(
    '(from feature_engineering.features where not is_test)', 'is_late',
    ['carrier', 'origin', 'destination', 'distance', 'departure_hour', 'carrier_delay', 'carrier_departures',
        'airport_delay', 'airport_departures'],
    top_k := 6
)

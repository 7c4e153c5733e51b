-- Which columns are distributed otherwise in the held-out months? A year has a rhythm, and it shows.
select *
from ml.population_stability(
    '(from feature_engineering.features where not is_test)', '(from feature_engineering.features where is_test)',
    ['carrier', 'origin', 'destination', 'distance', 'departure_hour', 'carrier_delay', 'carrier_departures', 'airport_delay', 'airport_departures']
)

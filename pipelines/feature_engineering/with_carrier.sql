-- Each flight with the state of its carrier as it was known when the prediction was made, if that is not too old.
select * exclude (known_at), known_at as carrier_known_at
from ml.point_in_time_join(
    'feature_engineering.sample', 'feature_engineering.carrier_delays',
    ['carrier'], 'predicted_at', 'known_at', ttl := '{{ hours_back }} hours'
)

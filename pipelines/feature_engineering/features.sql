-- And with that of its airport: the table that both models learn from.
select * exclude (known_at), known_at as airport_known_at, hour(scheduled_at)::double as departure_hour,
from ml.point_in_time_join(
    'feature_engineering.with_carrier', 'feature_engineering.airport_delays',
    ['origin'], 'predicted_at', 'known_at', ttl := '{{ hours_back }} hours'
)

-- Whatever a flight is predicted from was known when it was predicted, and not older than it may be.
select flight_id, predicted_at, carrier_known_at, airport_known_at
from feature_engineering.features
where carrier_known_at > predicted_at or airport_known_at > predicted_at
    or carrier_known_at < predicted_at - interval {{ hours_back }} hours
    or airport_known_at < predicted_at - interval {{ hours_back }} hours

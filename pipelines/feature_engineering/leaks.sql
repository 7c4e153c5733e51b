-- What a join on the key alone would take from the future: the newest state of the carrier of all.
select feature, n_entities, n_matched, n_future, share_future, n_leaked, share_leaked, is_leaking
from ml.leakage_report(
    'feature_engineering.sample', 'feature_engineering.carrier_delays',
    ['carrier'], 'predicted_at', 'known_at', ttl := '{{ hours_back }} hours'
)

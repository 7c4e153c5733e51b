-- materialize: view
-- Every tenth flight with a label is enough to learn from; the hash of its number chooses it.
select *
from feature_engineering.departures
where is_late is not null and ml.random_uniform(1, flight_id) < {{ share }}

-- The joins neither lose flights nor repeat them.
select flight_id, count(features.flight_id) as n
from feature_engineering.sample
left join feature_engineering.features as features using (flight_id)
group by flight_id
having n <> 1

-- On how many days of a month do customers come?
select *
from ml.stickiness('shop.sessions', 'customer_id', 'started_at')

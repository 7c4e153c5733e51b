-- materialize: view
-- Marketing contacts that could matter: what was sent to those who had gone is left out.
select customer_id, channel, touched_at as moment, cost
from shop.touches
where campaign <> 'winback'

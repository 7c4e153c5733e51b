-- materialize: view
-- Orders as conversions; the time has the name that it has in the touches.
select customer_id, ordered_at as moment, amount
from shop.orders

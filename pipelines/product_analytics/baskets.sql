-- materialize: view
-- What was bought together, by name.
select order_id, name
from shop.order_items
join shop.products using (product_id)

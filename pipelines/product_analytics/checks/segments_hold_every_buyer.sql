-- Every customer with an order is in one segment.
select customer_id
from (select distinct customer_id from shop.orders)
full join (select user_id as customer_id, count(*) as n from product_analytics.rfm group by user_id) using (customer_id)
where n is distinct from 1

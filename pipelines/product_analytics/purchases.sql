-- Money that came in and money that went back, as one table; a refund is a negative amount.
select customer_id, ordered_at as moment, amount
from shop.orders
union all
select customer_id, refunded_at, -refunds.amount
from shop.refunds
join shop.orders using (order_id)

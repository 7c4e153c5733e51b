-- One order for every purchase; its amount is the sum of its items.
with

amounts as (
    select order_id, round(sum(quantity * price), 2) as amount
    from {{ schema }}.order_items
    where order_id between {{ first }} * 1000 and {{ last }} * 1000 + 999
    group by order_id
),

purchases as (
    select session_id as order_id, min(occurred_at) as ordered_at
    from {{ schema }}.events
    where event = 'purchase' and session_id between {{ first }} * 1000 and {{ last }} * 1000 + 999
    group by session_id
)

select
    order_id,
    order_id // 1000 as customer_id,
    order_id as session_id,
    ordered_at,
    amount,
from purchases
join amounts using (order_id)
order by order_id

-- What was in the cart of every session that ended with a purchase. Subscribers pay less.
{% from "planted.j2" import discount %}
{% from "draws.j2" import normal %}
with

things as (
    select distinct event_id, session_id, event, product_id
    from {{ schema }}.events
    where session_id between {{ first }} * 1000 and {{ last }} * 1000 + 999 and event in ('add_to_cart', 'purchase')
),

bought as (
    select session_id, session_id // 1000 as customer_id, product_id, count(*) as times
    from things
    where event = 'add_to_cart' and session_id in (select session_id from things where event = 'purchase')
    group by all
)

select
    session_id as order_id,
    product_id,
    -- a household of its own size buys more of everything
    (times * greatest(1, round(exp(5e-1 + 5e-1 * {{ normal("household", "customer_id") }} + 4e-1 * {{ normal("quantity", "session_id * 100 + product_id") }}))))::integer as quantity,
    round(price * case when is_subscriber then {{ 1 - discount }}e0 else 1e0 end, 2) as price,
from bought
join {{ schema }}.products using (product_id)
join (select customer_id, is_subscriber from {{ schema }}.customers where customer_id between {{ first }} and {{ last }}) using (customer_id)
order by order_id, product_id

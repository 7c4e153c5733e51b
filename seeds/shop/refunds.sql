-- Money given back within two weeks: the whole amount of an order, or the half.
{% from "planted.j2" import refunded, end %}
{% from "draws.j2" import uniform %}
select
    order_id as refund_id,
    order_id,
    ordered_at + to_seconds(86400 + floor(1123200 * {{ uniform("refunded after", "order_id") }})::bigint) as refunded_at,
    case when {{ uniform("whole refund", "order_id") }} < 6e-1 then amount else round(amount / 2, 2) end as amount,
from {{ schema }}.orders
where {{ uniform("refund", "order_id") }} < {{ refunded }}e0
    and customer_id between {{ first }} and {{ last }}
    and refunded_at < timestamp '{{ end }}'
order by refund_id

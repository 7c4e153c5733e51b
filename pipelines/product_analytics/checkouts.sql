-- Sessions that reached the checkout, how they ended, and where.
select
    events.session_id,
    sessions.customer_id,
    sessions.started_at,
    sessions.device,
    country,
    arm,
    bool_or(event = 'purchase') as has_purchased,
from product_analytics.events as events
join shop.sessions as sessions using (session_id)
join shop.customers as customers on customers.customer_id = sessions.customer_id
left join shop.assignments as assignments
    on assignments.customer_id = sessions.customer_id and experiment = 'checkout_button'
    and sessions.started_at >= assigned_at and sessions.started_at < timestamp '2025-09-01'
where event in ('checkout', 'purchase')
group by all

-- How many sessions reach each step of a purchase, by device?
select *
from ml.funnel(
    'product_analytics.events', 'session_id', 'occurred_at',
    ['visit', 'view', 'add_to_cart', 'checkout', 'purchase'],
    event := 'event', breakdown := 'device'
)

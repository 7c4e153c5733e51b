-- By which ways do customers come to a purchase within a session?
select *
from ml.paths(
    'product_analytics.events', 'customer_id', 'occurred_at', 'event',
    session := 'session_id', to_event := 'purchase', max_steps := 8, top_n := 10
)

-- What do customers do after each event of a session? The share that leaves has no next event.
select *
from ml.next_events(
    'product_analytics.events', 'customer_id', 'occurred_at', 'event',
    session := 'session_id', max_steps := null, collapse := false
)

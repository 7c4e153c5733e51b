-- On how many days of a month do customers come? Without the few visits after the last midnight of 2025.
select *
from ml.stickiness('shop.sessions', 'customer_id', 'started_at')
where period_start < '2026-01-01'

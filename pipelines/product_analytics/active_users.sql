-- Customers of a day, a week and a month, and the share of its days on which one comes. Without the few visits after the last midnight of 2025.
select *
from ml.active_users('shop.sessions', 'customer_id', 'started_at')
where day < '2026-01-01'

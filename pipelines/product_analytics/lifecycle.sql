-- Month by month: who is new, who returns, who comes back after a pause, and who stays away?
-- Sessions that began soon after the last midnight of 2025 are left out: a month of them would look like an exodus.
select *
from ml.lifecycle('shop.sessions', 'customer_id', 'started_at', period := 'month')
where period_start < '2026-01-01'

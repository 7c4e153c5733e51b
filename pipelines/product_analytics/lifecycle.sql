-- Month by month: who is new, who returns, who comes back after a pause, and who stays away?
select *
from ml.lifecycle('shop.sessions', 'customer_id', 'started_at', period := 'month')

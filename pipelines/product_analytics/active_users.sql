-- Customers of a day, a week and a month, and the share of its days on which one comes.
select *
from ml.active_users('shop.sessions', 'customer_id', 'started_at')

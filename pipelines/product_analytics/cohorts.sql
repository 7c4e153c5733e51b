-- The same by the month of the first visit.
select *
from ml.cohorts('shop.sessions', 'customer_id', 'started_at', period := 'month', periods := 12)

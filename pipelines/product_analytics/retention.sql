-- Which share of customers comes back in each week after their first visit? Only those whose week has passed.
select *
from ml.retention('shop.sessions', 'customer_id', 'started_at', period := 'week', periods := {{ weeks }}, clock := 'exact', complete := true)

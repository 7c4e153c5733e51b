-- An event that was received twice counts once.
select event_id, count(*) as n
from product_analytics.events
group by event_id
having n > 1

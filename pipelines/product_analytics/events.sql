-- What customers did, every event once.
--
-- One in a hundred was received twice and one in fifty hours late, so the time that counts is the one
-- at which it happened. Events of people who were not logged in have no customer_id, and stay.
select * exclude (received_at), min(received_at) as received_at
from shop.events
group by all
order by event_id

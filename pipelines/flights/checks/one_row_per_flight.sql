-- A flight is known by its carrier, number and scheduled departure; features holds each once.
select
    carrier,
    flight_number,
    scheduled_departure_at,
    count(*) as copies,
from flights.features
group by all
having copies > 1

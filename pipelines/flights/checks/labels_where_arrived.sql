-- Exactly the flights that arrived have a label.
select
    flight_id,
    status,
    arrival_delay_minutes,
    is_late,
from flights.features
where (status = 'arrived') <> (is_late is not null)
    or (is_late is null) <> (arrival_delay_minutes is null)

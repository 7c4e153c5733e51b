-- Every held-out flight has a score, and it is a probability.
select
    flight_id,
    probability,
    base_rate,
from flights.scores
where probability is null
    or base_rate is null
    or not (probability between 0 and 1)
    or not (base_rate between 0 and 1)

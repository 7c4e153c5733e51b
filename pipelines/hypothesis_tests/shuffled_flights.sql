-- Minutes in the air from New York to Los Angeles, in a random order: the first n are a sample of n.
--
-- Notice: nearly normal, a little skewed; no one would doubt it from a picture.
-- The limit: one route of one year, flown in both calm and wind.
select
    row_number() over (order by ml.random_uniform({{ seed }} + 2, flight_id), flight_id) as place,
    air_time,
from hypothesis_tests.arrivals
where origin = 'JFK' and destination = 'LAX' and air_time is not null
order by place

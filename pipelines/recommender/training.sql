-- materialize: view
-- What everything is learnt from: the ratings before the day.
select viewer_id, film_id, stars
from cinema.ratings
where rated_at < {{ test_from }}

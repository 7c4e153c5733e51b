-- What to show to somebody of whom nothing is known: the films are ranked by their own intercept.
select viewer_id, film_id, predicted_stars, rank
from ml.recommend(
    'film_stars',
    '(select distinct viewer_id from recommender.held_out where is_new)',
    top_n := {{ list_length }}
)
order by viewer_id, rank

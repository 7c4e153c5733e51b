-- Films that viewers who rate alike have rated well.
from ml.recommend_by_users(
    'recommender.training', 'viewer_id', 'film_id', 'stars',
    neighbours := 50, top_n := {{ list_length }}
)

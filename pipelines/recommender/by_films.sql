-- Films that are like those a viewer has rated well.
from ml.recommend_by_items(
    'recommender.training', 'viewer_id', 'film_id', 'stars',
    neighbours := 50, top_n := {{ list_length }}
)

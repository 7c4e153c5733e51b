-- The yardstick: to everyone the most watched films that they have not rated.
from ml.recommend_by_popularity(
    'recommender.training', 'viewer_id', 'film_id', top_n := {{ list_length }}
)

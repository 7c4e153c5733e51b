-- Films whose flavours, as a reviewer marked them, are those that a viewer has rated well.
from ml.recommend_by_content(
    'recommender.training', 'viewer_id', 'film_id', 'cinema.films', ['action', 'humour', 'romance'],
    rating := 'stars', top_n := {{ list_length }}
)

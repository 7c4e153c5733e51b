-- Nobody is shown a film that they have rated already.
select recommendations.*
from recommender.recommendations as recommendations
semi join recommender.training as training using (viewer_id, film_id)

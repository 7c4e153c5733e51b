-- Which films are popular, and which are good? A film with three ratings of 5 is not the best one:
-- its mean is drawn towards that of all ratings, as if ten more viewers had given it.
select rank, film_id, title, n as ratings, mean_rating, damped_rating
from ml.popular_items('recommender.training', 'film_id', 'stars') as popular
join cinema.films as films on films.film_id = popular.item_id
order by rank

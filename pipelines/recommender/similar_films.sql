-- Which films are alike, by who rated them how? Here the truth is known: the cosine of the factors.
--
-- Two films that one viewer happened to rate alike would be the same film; the shrinkage asks for
-- more viewers than that.
with

neighbours as (
    from ml.item_neighbours(
        'recommender.training', 'viewer_id', 'film_id', 'stars',
        method := 'adjusted_cosine', shrinkage := 10, neighbours := 5
    )
),

similar_films as (
    select
        item_id as film_id,
        neighbour_id,
        rank,
        similarity,
        n_common as common_viewers,
        list_cosine_similarity(film.factors, neighbour.factors) as true_similarity,
    from neighbours
    join cinema.true_films as film on film.film_id = item_id
    join cinema.true_films as neighbour on neighbour.film_id = neighbour_id
)

select * from similar_films
order by film_id, rank

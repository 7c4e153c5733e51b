-- materialize: view
-- What only a made-up film club can tell: the stars that a viewer would give a film but for noise, and
-- the chance that they watch it and like it. The formulas are those of the seed.
with

pairs as (
    select
        viewer_id,
        film_id,
        list_dot_product(viewer.factors, film.factors) as taste,
        3.4e0 + viewer.intercept + film.intercept + taste as stars,
        -2.9e0 + activity + fame + 6e-1 * taste as tendency,
    from cinema.true_viewers as viewer
    cross join cinema.true_films as film
)

select
    viewer_id,
    film_id,
    stars,
    -- the noise has a standard deviation of half a star
    ml.normal_sf({{ liked_from }} - 5e-1, stars, 5e-1) / (1e0 + exp(-tendency)) as chance,
from pairs

-- Who rated what, when, and with how many stars.
--
-- People watch what is famous and what they expect to like, so the ratings that are missing are not
-- like those that are there. Stars are the expectation with a noise of half a star, as whole numbers.
with

pairs as (
    select
        viewer_id,
        film_id,
        3.4e0 + viewers.intercept + films.intercept
            + list_dot_product(viewers.factors, films.factors) as expected,
        -2.9e0 + activity + fame + 6e-1 * list_dot_product(viewers.factors, films.factors) as tendency,
        ((hash('watched ' || viewer_id || ' ' || film_id) >> 11) + 5e-1) / 9007199254740992e0 as u_watched,
        ((hash('noise ' || viewer_id || ' ' || film_id || ' 1') >> 11) + 5e-1) / 9007199254740992e0 as u_noise,
        ((hash('noise ' || viewer_id || ' ' || film_id || ' 2') >> 11) + 5e-1) / 9007199254740992e0 as v_noise,
        ((hash('time ' || viewer_id || ' ' || film_id) >> 11) + 5e-1) / 9007199254740992e0 as u_time,
        -- the share of the two years that passed before the viewer came
        ((hash('joined ' || viewer_id) >> 11) + 5e-1) / 9007199254740992e0 * 9.7e-1 as joined,
    from {{ schema }}.true_viewers as viewers
    cross join {{ schema }}.true_films as films
),

watched as (
    select *, sqrt(-2e0 * ln(u_noise)) * cos(2e0 * pi() * v_noise) as z
    from pairs
    where u_watched < 1e0 / (1e0 + exp(-tendency))
)

select
    viewer_id,
    film_id,
    least(greatest(round(expected + 5e-1 * z), 1), 5)::integer as stars,
    timestamp '2023-01-01' + to_seconds(floor((joined + (1 - joined) * u_time) * 731 * 86400)) as rated_at,
from watched
order by rated_at, viewer_id, film_id

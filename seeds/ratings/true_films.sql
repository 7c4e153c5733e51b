-- Films as they are: an intercept in stars, and how much there is of three flavours.
with

draws as (
    select
        film_id,
        k,
        ((hash('film ' || film_id || ' ' || k || ' 1') >> 11) + 5e-1) / 9007199254740992e0 as u,
        ((hash('film ' || film_id || ' ' || k || ' 2') >> 11) + 5e-1) / 9007199254740992e0 as v,
    from range(1, 401) as films(film_id)
    cross join range(5) as numbers(k)
),

normals as (
    -- Box and Muller
    select film_id, k, sqrt(-2e0 * ln(u)) * cos(2e0 * pi() * v) as z
    from draws
),

films as (
    select film_id, list(z order by k) as z
    from normals
    group by film_id
)

select
    film_id,
    4e-1 * z[1] as intercept,
    -- a good film is a little better known
    1.1e0 * z[2] + 4e-1 * z[1] as fame,
    list_transform(z[3:5], lambda x: 6.5e-1 * x) as factors,
from films
order by film_id

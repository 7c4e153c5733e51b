-- Films as a catalogue tells of them: a reviewer's marks for three flavours, which are not exact.
with

reviewed as (
    select
        film_id,
        factors,
        list_transform(
            range(1, 4),
            lambda k: sqrt(-2e0 * ln(((hash('review ' || film_id || ' ' || k || ' 1') >> 11) + 5e-1) / 9007199254740992e0))
                * cos(2e0 * pi() * ((hash('review ' || film_id || ' ' || k || ' 2') >> 11) + 5e-1) / 9007199254740992e0)
        ) as z,
    from {{ schema }}.true_films
)

select
    film_id,
    'Film ' || film_id as title,
    1970 + (hash('year ' || film_id) % 53)::integer as year,
    round(5e0 + 3e0 * (factors[1] + 3e-1 * z[1]), 1) as action,
    round(5e0 + 3e0 * (factors[2] + 3e-1 * z[2]), 1) as humour,
    round(5e0 + 3e0 * (factors[3] + 3e-1 * z[3]), 1) as romance,
from reviewed
order by film_id

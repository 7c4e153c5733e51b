-- Viewers as they are: an intercept in stars, how often they watch, and their taste in flavours.
with

draws as (
    select
        viewer_id,
        k,
        ((hash('viewer ' || viewer_id || ' ' || k || ' 1') >> 11) + 5e-1) / 9007199254740992e0 as u,
        ((hash('viewer ' || viewer_id || ' ' || k || ' 2') >> 11) + 5e-1) / 9007199254740992e0 as v,
    from range(1, 601) as viewers(viewer_id)
    cross join range(5) as numbers(k)
),

normals as (
    -- Box and Muller
    select viewer_id, k, sqrt(-2e0 * ln(u)) * cos(2e0 * pi() * v) as z
    from draws
),

viewers as (
    select viewer_id, list(z order by k) as z
    from normals
    group by viewer_id
)

select
    viewer_id,
    3.5e-1 * z[1] as intercept,
    7e-1 * z[2] as activity,
    list_transform(z[3:5], lambda x: 6.5e-1 * x) as factors,
from viewers
order by viewer_id

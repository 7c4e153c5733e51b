-- In Germany on phones, purchases in November are the planted share of those before; and nowhere else is a fall as clear.
--
-- A warning where there are fewer than 50 such checkouts in November (scale below 0.75), for then the planted fall is
-- no more than four standard errors.
with

counted as (
    select
        country,
        device,
        avg(has_purchased::integer) filter (started_at < date '2025-11-01') as before,
        avg(has_purchased::integer) filter (started_at >= date '2025-11-01') as in_november,
        count(*) filter (started_at < date '2025-11-01') as n_before,
        count(*) filter (started_at >= date '2025-11-01') as n_in_november,
        sqrt(before * (1 - before) * (1 / n_before + 1 / n_in_november)) as standard_error,
        (in_november - before) / nullif(standard_error, 0) as z,
    from product_analytics.checkouts
    where started_at >= date '2025-09-01' and started_at < date '2025-12-01'
    group by country, device
    having before is not null and in_november is not null
),

deepest as (
    select *, in_november / before as ratio, (select value from shop.truths where name = 'outage_factor') as planted,
    from counted
    order by z
    limit 1
)

select
    *,
    case
        when (select n_in_november from counted where (country, device) = ('DE', 'mobile')) >= 50 then 'error'
        else 'warning'
    end as severity,
from deepest
where (country, device) <> ('DE', 'mobile') or abs(ratio - planted) > 4 * standard_error / before

-- In Germany on phones, purchases in November are the planted share of those before; and nowhere else is a fall as clear.
with

counted as (
    select
        country,
        device,
        avg(has_purchased::integer) filter (started_at < date '2025-11-01') as before,
        avg(has_purchased::integer) filter (started_at >= date '2025-11-01') as in_november,
        sqrt(before * (1 - before) * (
            1 / count(*) filter (started_at < date '2025-11-01') + 1 / count(*) filter (started_at >= date '2025-11-01')
        )) as standard_error,
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

select * from deepest
where (country, device) <> ('DE', 'mobile') or abs(ratio - planted) > 4 * standard_error / before

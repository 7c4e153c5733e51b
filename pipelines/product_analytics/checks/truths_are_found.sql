-- No estimate is further than four standard errors from what was planted: of some thirty, none should be.
--
-- A warning for an estimate of too few rows to have a standard error, and in a shop of fewer than 100 customers
-- (scale below 0.01), where four of them mean little.
select
    *,
    case
        when z is null and found is not null or (select count(*) from shop.customers) < 100 then 'warning'
        else 'error'
    end as severity,
from product_analytics.recovered
where abs(z) > 4 or z is null

-- Chance that a day was the last one on which a customer came, by channel and subscription.
select
    channel,
    is_subscriber,
    count(*) as visit_days,
    avg(is_last::integer) as hazard,
    sqrt(hazard * (1 - hazard) / count(*)) as standard_error,
from product_analytics.visit_days
group by channel, is_subscriber
order by hazard desc

-- How many customers are in each segment, and what have they brought?
select
    segment,
    count(*) as customers,
    avg(recency_days) as recency_days,
    avg(frequency) as frequency,
    sum(monetary) as monetary,
    sum(monetary) / sum(sum(monetary)) over () as share_of_money,
from product_analytics.rfm
group by segment
order by monetary desc

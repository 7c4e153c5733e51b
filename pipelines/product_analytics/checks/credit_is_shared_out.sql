-- Whatever the rule, the conversions of all channels are the orders that there are.
select method, sum(conversions) as conversions
from product_analytics.attribution
group by method
having abs(sum(conversions) - (select count(*) from shop.orders)) > 1e-6

-- The channels that were met on the way to an order, or to none, and how often.
select *
from ml.conversion_paths(
    'product_analytics.touches', 'customer_id', 'moment', 'channel',
    'product_analytics.orders', 'moment', value := 'amount', lookback := '{{ lookback_days }} days'
)

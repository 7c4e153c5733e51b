-- Which channels brought the orders? Six rules, a Markov chain and Shapley values side by side.
with

attribution as (
    select method, channel, conversions, share, revenue, cost, roas
    from ml.attribution(
        'product_analytics.touches', 'customer_id', 'moment', 'channel',
        'product_analytics.orders', 'moment', 'amount', cost := 'cost', lookback := '{{ lookback_days }} days'
    )
    union all
    select 'markov', channel, conversions, share, revenue, null, null
    from ml.markov_attribution('product_analytics.order_paths', 'path', 'conversions', value := 'value', non_conversions := 'non_conversions')
    union all
    select 'shapley', channel, conversions, share, revenue, null, null
    from ml.shapley_attribution(
        'product_analytics.order_paths', 'path', 'conversions', value := 'value', non_conversions := 'non_conversions'
    )
)

select * from attribution
order by method, conversions desc

-- As many sessions end the funnel as there are orders.
with

counted as (
    select
        (select sum(users) from product_analytics.funnel where condition = 'purchase') as in_funnel,
        (select count(*) from shop.orders) as in_orders,
)

select * from counted
where in_funnel is distinct from in_orders

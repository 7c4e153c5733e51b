-- Days on which a customer came, and whether it was the last time.
--
-- Nobody who was silent for churn_days came back, so what happened that long before the end is known.
with

days as (
    select customer_id, date_trunc('day', started_at) as visited_on
    from shop.sessions
    where session_id % 2 = 0 -- the second session of a day has an odd number
),

followed as (
    select *, lead(visited_on) over (partition by customer_id order by visited_on) is null as is_last
    from days
),

visit_days as (
    select followed.*, channel, is_subscriber,
    from followed
    join shop.customers using (customer_id)
    cross join (select max(visited_on) as until from days)
    where visited_on < until - to_days({{ churn_days }})
)

select * from visit_days

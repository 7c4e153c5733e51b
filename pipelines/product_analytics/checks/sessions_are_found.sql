-- The sessions that half an hour of silence finds are those that there were: a start that is only in one of the two.
with

true_sessions as (
    select customer_id, started_at
    from shop.sessions
    where session_id in (select session_id from product_analytics.events where customer_id is not null)
),

found_sessions as (
    select user_id as customer_id, session_start as started_at
    from product_analytics.visits
)

(select 'missed' as what, * from true_sessions except select 'missed', * from found_sessions)
union all
(select 'invented', * from found_sessions except select 'invented', * from true_sessions)

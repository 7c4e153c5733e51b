-- What a touch does, rather than what it gets credit for: how much likelier is a session to go on after one?
--
-- Touches of different channels were drawn apart, so with and without one the others are alike. Nobody can
-- know this from the paths to orders alone: display stands on many of them, and moves nobody.
with

sessions as (
    select customer_id, session_id, started_at, n_events > 1 as is_engaged
    from shop.sessions
    join (select session_id, count(*) as n_events from product_analytics.events group by session_id) using (session_id)
    where session_id % 2 = 0
),

met as (
    select distinct session_id, channel
    from product_analytics.touches
    join sessions using (customer_id)
    where moment < started_at and moment > started_at - interval 20 hours
),

arms as (
    select
        channel,
        count(*) as touched,
        count_if(is_engaged) as touched_engaged,
        (select count(*) from sessions) - count(*) as untouched,
        (select count_if(is_engaged) from sessions) - count_if(is_engaged) as untouched_engaged,
    from met
    join sessions using (session_id)
    group by channel
),

touch_effects as (
    select
        channel,
        touched,
        touched_engaged / touched as engaged_with,
        untouched_engaged / untouched as engaged_without,
        engaged_with / engaged_without as ratio,
        -- delta method
        ratio * sqrt((1 - engaged_with) / touched_engaged + (1 - engaged_without) / untouched_engaged) as standard_error,
    from arms
)

select * from touch_effects
order by ratio desc

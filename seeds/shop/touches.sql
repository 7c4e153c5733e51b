-- Marketing that reached customers: in the 18 hours before a day's first session, where it may have moved them,
-- and, every 30 days for a year, to those who are gone, where it did nothing.
{% from "planted.j2" import touches, churn_days, end %}
{% from "draws.j2" import uniform, by %}
with

visits as (
    select session_id, customer_id, started_at
    from {{ schema }}.sessions
    where session_id % 2 = 0 and customer_id between {{ first }} and {{ last }}
),

met as (
    {% for channel, planted in touches.items() %}
    select
        session_id * 10 + {{ loop.index }} as touch_id,
        customer_id,
        '{{ channel }}' as channel,
        started_at - to_seconds(60 + floor(646e2 * {{ uniform("touch time " ~ channel, "session_id") }})::bigint) as touched_at,
    from visits
    where {{ uniform("touch " ~ channel, "session_id") }} < {{ planted.share }}e0
    union all
    {% endfor %}
    select
        customer_id * 10000 + 9000 + number * 10 as touch_id,
        customer_id,
        case when number % 3 = 0 then 'display' else 'email' end as channel,
        last_at + to_days((30 * number)::integer) as touched_at,
    from (
        select customer_id, max(started_at) + interval {{ churn_days }} day as last_at
        from visits
        group by customer_id
    )
    cross join range(12) as numbers(number)
    where touched_at < timestamp '{{ end }}'
)

select
    touch_id,
    customer_id,
    channel,
    case
        when touch_id % 10 = 0 then 'winback'
        when channel in ('email', 'social') then ['news', 'offers'][1 + ({{ uniform("campaign", "touch_id") }} < 4e-1)::integer]
        else ['brand', 'generic'][1 + ({{ uniform("campaign", "touch_id") }} < 6e-1)::integer]
    end as campaign,
    touched_at,
    round((case channel{% for channel, planted in touches.items() %} when '{{ channel }}' then {{ planted.cost | double }}{% endfor %} end)
        * (5e-1 + {{ uniform("cost", "touch_id") }}), 4) as cost,
from met
order by touch_id

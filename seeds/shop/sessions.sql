-- When customers come. Days of visits are a renewal process in seasonal time that ends when the customer
-- has churned; some days have a second session. session_id is the customer, then the number of the day times 2.
{% from "planted.j2" import hazards, hazard_ratio, second_session, devices %}
{% from "draws.j2" import uniform, times, by, one_of %}
{% from "calendar.j2" import slots, signed_up, second_of_day %}
with

{{ slots() }},

people as (
    select
        customer_id,
        -- 3.5 days of 100 slots at least, so at least two nights; a log-logistic time more, at most 7 medians
        (2e0 + 6e0 * {{ uniform("pace", "customer_id") }}) * case when is_subscriber then 7e-1 else 1e0 end as median_days,
        1e0 - {{ by("channel", hazards) }} * case when is_subscriber then {{ hazard_ratio }}e0 else 1e0 end as stays,
        {{ times(uniform("churn", "customer_id"), "stays") }} as more_days,
        {{ one_of(uniform("device", "customer_id"), devices) }} as usual_device,
    from {{ schema }}.customers
    where customer_id between {{ first }} and {{ last }}
),

visits as (
    select
        customer_id,
        median_days,
        usual_device,
        unnest(range(1, least(more_days, 370) + 2)) as visit,
    from people
),

drawn as (
    select
        *,
        customer_id * 1000 + visit * 2 as session_id,
        98e-2 * {{ uniform("gap", "customer_id * 1000 + visit") }} as u,
        case when visit > 1 then 35e1 + 1e2 * median_days * sqrt(u / (1e0 - u)) else 0e0 end as gap,
    from visits
),

placed as (
    select
        session_id,
        customer_id,
        usual_device,
        floor({{ signed_up("customer_id", "times.length") }} + sum(gap) over (partition by customer_id order by visit))::bigint as slot,
    from drawn
    cross join times
),

dated as (
    select
        session_id,
        customer_id,
        usual_device,
        day + to_seconds({{ second_of_day("hour", "session_id") }}) as started_at,
    from placed
    join slots using (slot) -- whoever would come after the last day is gone
),

both_sessions as (
    select
        session_id + second as session_id,
        customer_id,
        usual_device,
        -- two to five hours after the first
        started_at + to_seconds(second * (7200 + floor(108e2 * {{ uniform("pause", "session_id") }})::bigint)) as started_at,
    from (
        select *, unnest(range(1 + ({{ uniform("second session", "session_id") }} < {{ second_session }}e0)::integer)) as second
        from dated
    )
)

select
    session_id,
    customer_id,
    started_at,
    case
        when {{ uniform("usual device", "session_id") }} < 85e-2 then usual_device
        else {{ one_of(uniform("other device", "session_id"), devices) }}
    end as device,
from both_sessions
order by session_id

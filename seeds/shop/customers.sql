-- Who has signed up, when and from where. Older customers leave their birth year out more often.
{% from "planted.j2" import channels, countries, subscriber_share, missing_at_18, missing_a_year %}
{% from "draws.j2" import uniform, one_of %}
{% from "calendar.j2" import slots, signed_up, second_of_day %}
with

{{ slots() }},

people as (
    select
        customer_id,
        floor({{ signed_up("customer_id", "times.length") }})::bigint as slot,
        {{ second_of_day("hour", "customer_id * 1000 + 2") }} as second,
        floor(6e1 * {{ uniform("age", "customer_id") }} ** 2)::integer as age_above_18,
    from range({{ first }}, {{ last }} + 1) as customers(customer_id)
    cross join times
)

select
    customer_id,
    day + to_seconds(second) as signed_up_at,
    {{ one_of(uniform("country", "customer_id"), countries) }} as country,
    {{ one_of(uniform("channel", "customer_id"), channels) }} as channel,
    case
        when {{ uniform("birth year", "customer_id") }} >= 1e0 / (1e0 + exp(-({{ missing_at_18 }}e0 + {{ missing_a_year }}e0 * age_above_18)))
            then 2006 - age_above_18
    end as birth_year,
    {{ uniform("subscriber", "customer_id") }} < {{ subscriber_share }}e0 as is_subscriber,
from people
join slots using (slot)
order by customer_id

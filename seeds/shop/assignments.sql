-- Who was in which experiment, from their first session in its time on; halves by a draw.
{% from "planted.j2" import experiments %}
{% from "draws.j2" import uniform %}
{% for experiment, planted in experiments.items() %}
select
    '{{ experiment }}' as experiment,
    customer_id,
    case when {{ uniform("arm of " ~ experiment, "customer_id") }} < 5e-1 then 'control' else 'treatment' end as arm,
    min(started_at) as assigned_at,
from {{ schema }}.sessions
where customer_id between {{ first }} and {{ last }}
    and started_at >= timestamp '{{ planted.from }}' and started_at < timestamp '{{ planted.to }}'
group by customer_id
{{ "union all" if not loop.last }}
{% endfor %}
order by experiment, customer_id

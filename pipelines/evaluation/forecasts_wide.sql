-- The same, a row a penguin: predictions of the same rows side by side, as comparisons need them.
select
    penguin_id,
    species,
    is_male,
    {% for method in ["by_bill", "by_body", "thumb"] %}
    max(probability) filter (method = '{{ method }}') as {{ method }},
    max(probability) filter (method = '{{ method }}') >= 5e-1 as {{ method }}_says_male,
    {% endfor %}
from evaluation.forecasts
group by all
order by penguin_id

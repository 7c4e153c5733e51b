-- How good are the lists? Of the viewers who liked something later, by the first places of the list.
--
-- Notice 'true stars': the films that a viewer would like best are mostly not those that they watch next,
-- so even perfect ratings make a poor list by this measure.
with

{% set methods = ["popularity", "like films", "like viewers", "content", "explicit factors", "implicit factors", "pairwise factors", "true stars", "true chances"] %}
evaluation as (
{% for method in methods %}
    select '{{ method }}' as method, *
    from ml.ranking_metrics(
        '(from recommender.judged where method = ''{{ method }}'')',
        'viewer_id', 'film_id', 'score', 'relevance', k := {{ list_length }}
    )
{% if not loop.last %}
    union all
{% endif %}
{% endfor %}
)

select
    method,
    n_users as viewers,
    precision_at_k,
    recall_at_k,
    hit_rate,
    mean_average_precision,
    normalized_discounted_cumulative_gain,
    coverage,
from evaluation
order by normalized_discounted_cumulative_gain desc

-- From which probability on should a penguin be called male, if missing a male costs cost_of_missing and the other error 1?
--
-- The cost of every threshold, for each forecast that has more than one.
-- Notice: where probabilities can be believed, the best threshold is 1 / (1 + cost_of_missing), here 0.17; those found for the
-- models, 0.23 and 0.19, are near it.
-- The limit: the threshold is chosen and judged on the same rows. Pipeline classification keeps the two apart.
with

thresholds as (
    {% for method in ["by_bill", "by_body", "thumb"] %}
    select '{{ method }}' as method, *
    from ml.threshold_by_cost(
        '(from evaluation.forecasts where method = ''{{ method }}'')', 'is_male', 'probability',
        cost_false_negative := {{ cost_of_missing }}
    )
    {{ "union all" if not loop.last }}
    {% endfor %}
)

select * from thresholds
order by method, threshold desc

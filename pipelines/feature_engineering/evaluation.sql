-- How well does each rank late flights above others, on what it has seen and on what it has not?
{% set scored = [
    ("timetable alone", "feature_engineering.scores", "before"),
    ("with features", "feature_engineering.scores", "after"),
    ("aircraft, naive", "feature_engineering.aircraft_share", "naive"),
    ("aircraft, cross-fitted", "feature_engineering.aircraft_share", "cross_fitted"),
] %}
with

evaluation as (
{% for name, table, column in scored %}
{% for rows in ["training", "held out"] %}
    select '{{ name }}' as method, '{{ rows }}' as flights, n_positives + n_negatives as n, roc_auc, standard_error,
    from ml.roc_auc('(from {{ table }} where {{ "not " if rows == "training" }}is_test)', 'is_late', '{{ column }}')
    {{ "union all" if not (rows == "held out" and name == scored[-1][0]) }}
{% endfor %}
{% endfor %}
)

select * from evaluation
order by method, flights

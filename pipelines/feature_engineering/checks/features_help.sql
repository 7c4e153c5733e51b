-- On held-out flights the features rank better than the timetable, by more than two standard errors.
--
-- A warning where so few flights were late, or held out, that the usual gain of 0.05 is no more than two and a half.
with

held_out as (
    select
        max(roc_auc) filter (method = 'with features') as with_features,
        max(roc_auc) filter (method = 'timetable alone') as alone,
        max(standard_error) as standard_error,
    from feature_engineering.evaluation
    where flights = 'held out'
)

select *, case when standard_error > 2e-2 then 'warning' else 'error' end as severity,
from held_out
where not (with_features > alone + 2 * standard_error)

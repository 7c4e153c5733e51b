-- The chances that both models give, to the flights that they learnt from and to those held out.
with

probability_before as (
    select flight_id, predicted_is_late_probs as probs
    from ml.predict('late_before', 'feature_engineering.features')
),

probability_after as (
    select flight_id, is_late, is_test, predicted_is_late_probs as probs
    from ml.predict('late_after', 'feature_engineering.features')
)

select
    flight_id,
    is_late,
    is_test,
    list_filter(probability_before.probs, lambda p: p.label)[1].prob as before,
    list_filter(probability_after.probs, lambda p: p.label)[1].prob as after,
from probability_after
join probability_before using (flight_id)

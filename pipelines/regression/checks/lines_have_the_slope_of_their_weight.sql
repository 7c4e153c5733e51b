-- Partial dependence and local effects of a model of weights are lines, and their slopes are the weights.
with

lines as (
    select
        method,
        feature,
        regr_slope(prediction_g, number) as slope,
        regr_r2(prediction_g, number) as straightness,
    from regression.dependence
    where number is not null
    group by method, feature
)

select lines.*, weight
from lines
left join regression.weights on processed_input = feature
where not coalesce(abs(slope - weight) <= 1e-6 * abs(weight) and straightness > 1 - 1e-9, false)

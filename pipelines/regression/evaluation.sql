-- How good are the three models, on the rows they learned from and on others?
--
-- mean_absolute_error and root_mean_squared_error are in grams, r2_score is the share of the variance explained.
-- Notice: on training rows the wide model is best, on test rows worst by far: R² falls from 0.90 to 0.48. Most of that is one
-- Chinstrap with a bill of 58 mm, which it takes to weigh -1.5 kg (step predictions); the penalty takes half of the
-- error back. The plain model, with three measurements, is best where it matters.
-- The limit: the test has 100 penguins. Differences of a few grams are noise; pipeline evaluation tests them.
with

evaluation as (
    select
        model,
        part,
        ml.mean_absolute_error(body_mass_g, predicted_body_mass_g) as mean_absolute_error,
        ml.root_mean_squared_error(body_mass_g, predicted_body_mass_g) as root_mean_squared_error,
        ml.r2_score(body_mass_g, predicted_body_mass_g) as r2_score,
        ml.mean_error(body_mass_g, predicted_body_mass_g) as mean_error,
        count(*) as n,
    from regression.predictions
    where part <> 'calibration'
    group by model, part
)

select * from evaluation
order by part, root_mean_squared_error

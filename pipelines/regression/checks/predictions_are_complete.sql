-- Every penguin has one prediction from each model, and that of the plain model is a weight that a penguin may have.
select model, penguin_id, count(*) as predictions, max(predicted_body_mass_g) as predicted_body_mass_g
from regression.predictions
group by model, penguin_id
having count(*) <> 1
    or (model = 'body_mass' and not coalesce(max(predicted_body_mass_g) between 1000 and 10000, false))
union all
select model, null, count(*), null
from regression.predictions
group by model
having count(*) <> (select count(*) from regression.measured)

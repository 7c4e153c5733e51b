-- The held-out penguins, as the model judges them.
select
    species,
    island,
    body_mass_g,
    sex,
    predicted_sex,
    predicted_sex = sex as is_right,
from ml.predict('penguin_sex', '__pipeline_text__.measured')
where is_held_out

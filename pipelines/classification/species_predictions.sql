-- The test penguins with the species they are called, and how sure the model is.
select
    penguin_id,
    species,
    predicted_species,
    list_max(list_transform(predicted_species_probs, lambda p: p.prob)) as probability,
from ml.predict('species', '(from classification.penguins_split where is_test)')
order by penguin_id

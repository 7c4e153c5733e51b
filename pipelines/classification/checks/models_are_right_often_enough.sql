-- Each model is right on at least min_accuracy of the rows that it has not seen.
select model, accuracy from classification.evaluation
where not coalesce(accuracy >= {{ min_accuracy }}, false) and model in ('malignant', 'malignant_platt')
union all
select 'species', avg((species = predicted_species)::int) from classification.species_predictions
having not coalesce(avg((species = predicted_species)::int) >= {{ min_accuracy }}, false)

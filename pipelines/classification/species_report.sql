-- Precision, recall and F-score of each species, and their averages.
--
-- Notice: 'micro' counts every penguin alike and is the accuracy; 'macro' counts every species alike, so that the few Chinstrap
-- matter as much as the many Adelie.
-- The limit: an average hides which species it is that goes wrong.
select * from ml.classification_report('classification.species_predictions', 'species', 'predicted_species')

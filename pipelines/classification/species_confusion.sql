-- Which species are taken for which?
--
-- Notice: no error among 102 test penguins does not mean that there are none. An error rate of 3 % would leave 102
-- penguins without an error once in 22 times; 3 / n is a rule of thumb for how high the rate may be.
-- The limit: Adelie and Chinstrap differ in the bill alone; where it cannot be measured, they are not told apart.
select * from ml.confusion_table('classification.species_predictions', 'species', 'predicted_species')

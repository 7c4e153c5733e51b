-- Which features does the model use most?
--
-- attribution: by how many grams a feature moves a prediction from the mean, on average (exact Shapley values). importance: by
-- how much the mean squared error grows, in g², when the feature is shuffled among the penguins.
-- Notice: both put species first, and then sex. On bill depth they disagree: it moves predictions least, and yet the
-- model is worse without it than without the length of flipper or bill.
-- The limit: species, flipper and bill depth go together, and shuffling one makes penguins that do not exist.
select
    feature,
    attribution as attribution_g,
    importance as importance_g2,
    standard_deviation as standard_deviation_g2,
from ml.global_explain('body_mass', '(from regression.measured where part = ''test'')')
join ml.permutation_importance('body_mass', '(from regression.measured where part = ''test'')') using (feature)
order by attribution_g desc

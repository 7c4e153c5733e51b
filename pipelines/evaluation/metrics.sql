-- How good is each forecast, over all penguins and for each species?
--
-- Aggregates, so that GROUP BY and grouping sets do the rest; species is NULL in the rows of all.
-- Notice: each metric has its own order. The bill is better by accuracy and Brier score, the body by log loss, which
-- punishes the few that the bill is sure and wrong about. Within each species the thumb ranks nearly as well as the models,
-- and yet it calls every Gentoo male: a ranking is not a decision.
-- The limit: a metric of a hundred rows is a draw, not a fact (step intervals).
select
    method,
    species,
    ml.accuracy(is_male, probability >= 5e-1) as accuracy,
    ml.balanced_accuracy(is_male, probability >= 5e-1) as balanced_accuracy,
    ml.f_score(is_male, probability >= 5e-1) as f_score,
    ml.matthews_correlation(is_male, probability >= 5e-1) as matthews_correlation,
    ml.roc_auc_score(is_male, probability) as roc_auc,
    ml.log_loss(is_male, probability) as log_loss,
    ml.brier_score(is_male, probability) as brier_score,
    count(*) as n,
from evaluation.forecasts
group by grouping sets ((method), (method, species))
order by species nulls first, log_loss

-- The parts of the Brier score add up to it, and it is the one of the step metrics.
select method, brier.brier_score, reliability - resolution + uncertainty + within_bins as sum_of_parts, metrics.brier_score as in_metrics
from evaluation.brier
left join evaluation.metrics using (method)
where metrics.species is null
    and not coalesce(
        abs(brier.brier_score - (reliability - resolution + uncertainty + within_bins)) < 1e-12
            and abs(brier.brier_score - metrics.brier_score) < 1e-12,
        false
    )

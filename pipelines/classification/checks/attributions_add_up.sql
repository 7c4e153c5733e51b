-- Baseline and attributions of a tumour add up to its log-odds.
select sample_id, log_odds, baseline + total_attribution as sum_of_parts
from classification.reasons
where abs(log_odds - baseline - total_attribution) > 1e-9 * greatest(1, abs(log_odds))

-- The conditional probabilities, weighted by those of their conditions, add up to P(late), and the
-- conditions to 1.
select condition, sum(p_given) as total, sum(p_conditional * p_given) as p_late, any_value(p_event) as p_event
from probability.late_given
group by condition
having abs(total - 1) > 1e-12 or abs(p_late - any_value(p_event)) > 1e-12

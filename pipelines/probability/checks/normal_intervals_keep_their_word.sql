-- Intervals of normal samples hold the mean with 0.95: the posterior of their coverage must allow it.
select *
from probability.coverage
where population = 'normal' and not 0.95 between coverage_lower and coverage_upper

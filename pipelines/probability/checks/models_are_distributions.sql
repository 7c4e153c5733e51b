-- The models of the counts lose no more than a thousandth of their probability beyond 20.
select sum(observed) as observed, sum(poisson) as poisson, sum(binomial) as binomial, sum(normal) as normal
from probability.counts_per_quarter_hour
having abs(sum(observed) - 1) > 1e-9
    or sum(poisson) not between 0.999 and 1 + 1e-12
    or abs(sum(binomial) - 1) > 1e-12
    or sum(normal) not between 0.97 and 1 + 1e-12

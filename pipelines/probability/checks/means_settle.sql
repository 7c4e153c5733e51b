-- The running mean of a distribution with a variance ends within five standard errors of its mean.
select distribution, n, running_mean, mean, standard_error
from probability.large_numbers
where n = 65536 and abs(running_mean - mean) > 5 * standard_error

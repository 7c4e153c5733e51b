-- Bayes' theorem gives the shares that can be counted.
select *
from probability.departure_as_test
where abs(posterior_positive - counted_positive) > 1e-12
    or abs(posterior_negative - counted_negative) > 1e-12
    or abs(p_positive + p_negative - 1) > 1e-12

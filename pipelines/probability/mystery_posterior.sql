-- Which carrier is it?
--
-- Bayes' theorem, flight by flight: the posterior after one flight is the prior of the next. All
-- carriers begin with the same probability.
-- Notice: one flight tells next to nothing, and the leader changes at first. Evidence adds up on the
-- scale of logarithms. What is left at the end is the carrier whose profile is nearest to these
-- flights; that need not be the right one, if the carrier's autumn is unlike its spring.
select * from ml.bayes_update(
    'probability.mystery_flights', 'hypothesis', 'prior', 'likelihood', order_by := 'step'
)

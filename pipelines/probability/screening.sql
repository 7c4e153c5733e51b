-- A test is right nine times in ten. Is a person with a positive test ill?
--
-- Bayes' theorem with a sensitivity of 0.9 and a specificity of 0.95, for four shares of ill people
-- among those tested.
-- Notice: where one in a thousand is ill, 98 of 100 positive tests are false alarms, because there
-- are so many healthy people to be wrong about. The likelihood ratio of 18 is the same throughout:
-- the test multiplies the odds, it does not set them.
with

priors as (select unnest([1e-3, 1e-2, 1e-1, 5e-1]) as prior),

screening as (
    select prior, unnest(ml.bayes(prior, 0.9, 0.95))
    from priors
)

select * from screening

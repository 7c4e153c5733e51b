-- Which model of the counts is nearest?
--
-- The total variation distance: half the sum of the absolute differences of the shares. It is the
-- greatest error that the model makes in the probability of any event.
with

count_models as (
    unpivot (
        select
            sum(abs(observed - poisson)) / 2 as poisson,
            sum(abs(observed - binomial)) / 2 as binomial,
            sum(abs(observed - normal)) / 2 as normal,
        from probability.counts_per_quarter_hour
    )
    on *
    into name model value distance
)

select * from count_models
order by distance

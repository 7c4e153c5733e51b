-- After every flight the probabilities of the hypotheses add up to 1, and the posterior is the next prior.
with

chained as (
    select
        *,
        lag(posterior) over (partition by hypothesis order by step) as posterior_before,
    from probability.mystery_posterior
)

select step, sum(posterior) as total, max(abs(prior - posterior_before)) as jump
from chained
group by step
having abs(total - 1) > 1e-9 or coalesce(jump, 0) > 1e-9 or total is null

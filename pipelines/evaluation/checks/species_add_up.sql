-- The species, weighed by their rows, have the rates of all: nobody is counted twice or lost.
select
    method,
    sum(selection_rate * fairness.n) / sum(fairness.n) as by_species,
    any_value(overall) as overall,
from evaluation.fairness
left join (
    select method, avg((probability >= 5e-1)::int) as overall, count(*) as n from evaluation.forecasts group by method
) as totals using (method)
group by method
having not coalesce(
    abs(sum(selection_rate * fairness.n) / sum(fairness.n) - any_value(overall)) < 1e-12
        and sum(fairness.n) = any_value(totals.n),
    false
)

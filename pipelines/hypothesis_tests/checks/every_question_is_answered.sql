-- No row of the results is empty: each has a p-value or an interval, observations, and a name of its own.
select question, method, count(*) as rows
from hypothesis_tests.results
group by question, method
having count(*) > 1 or bool_or(p_value is null and ci_lower is null) or bool_or(n is null or n = 0)

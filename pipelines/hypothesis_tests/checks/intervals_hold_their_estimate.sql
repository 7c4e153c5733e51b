-- An interval contains the estimate that it belongs to, and its ends are in order.
select * from hypothesis_tests.results
where estimate < ci_lower or estimate > ci_upper or ci_lower > ci_upper
    or (ci_lower is null) <> (ci_upper is null)

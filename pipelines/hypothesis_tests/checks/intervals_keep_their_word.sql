-- Intervals hold the truth as often as they say: Student's where his assumptions hold, and the exact one of a
-- share at least as often.
select * from hypothesis_tests.interval_coverage
where (situation in ('nothing differs', 'means one sd apart') and method = 'Student'
        and not {{ confidence_level }} between coverage_lower and coverage_upper)
    or (method = 'clopper-pearson' and coverage < {{ confidence_level }} - 1e-12)
    or not coverage between 0 and 1 + 1e-12

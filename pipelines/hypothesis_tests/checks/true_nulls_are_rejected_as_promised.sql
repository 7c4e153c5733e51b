-- Where nothing differs and the assumptions hold, the share of p-values below a threshold is the threshold,
-- and Welch's test may be a little shy of it, never above.
select * from hypothesis_tests.p_value_distribution
where (scenario = 'nothing differs' and method = 'Student' and not threshold between share_lower and share_upper)
    or (scenario in ('nothing differs', 'the small arm is wilder') and method = 'Welch' and share_lower > 1.1 * threshold)

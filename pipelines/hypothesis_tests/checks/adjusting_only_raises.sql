-- An adjusted p-value is no smaller than the p-value, no greater than 1, in the same order, and Holm's no
-- greater than Bonferroni's.
with

neighbours as (
    select
        *,
        lag(p_adjusted) over (partition by family, method order by p_value) as before,
        max(p_adjusted) filter (method = 'bonferroni') over (partition by family, question) as bonferroni,
    from hypothesis_tests.adjusted_tests
)

select * from neighbours
where p_adjusted < p_value or p_adjusted > 1 or p_adjusted < before
    or (method in ('holm', 'bh') and p_adjusted > bonferroni)
    or is_rejected <> (p_adjusted <= 1 - {{ confidence_level }})

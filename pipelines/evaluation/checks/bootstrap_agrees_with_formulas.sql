-- An interval holds its estimate; where there is a formula, the bootstrap's has the same estimate, and its width is
-- within a third of the formula's.
with

siblings as (
    select
        method,
        metric,
        max(ci_upper - ci_lower) filter (interval = 'bootstrap') as bootstrap_width,
        max(ci_upper - ci_lower) filter (interval <> 'bootstrap') as formula_width,
        bool_and(estimate between ci_lower and ci_upper) as holds,
        max(estimate) - min(estimate) as spread,
    from evaluation.intervals
    group by method, metric
)

select * from siblings
where not coalesce(holds and spread < 1e-12, false)
    or abs(bootstrap_width / formula_width - 1) > 1e0 / 3

-- Does the mean of more and more draws settle?
--
-- The law of large numbers, for three distributions: exponential with the mean of 7 minutes, Pareto
-- with shape 1.5 (a mean, but no variance), Cauchy (neither). Powers of two of the draws are kept.
-- Notice: the first enters its band and stays; the second creeps, with jumps whenever a giant is
-- drawn; the third never settles, and its band is NULL because there is nothing to settle at.
with

large_numbers as (
    select 'exponential' as distribution, *
    from ml.simulate_lln('exponential', [7], n := 65536, seed := {{ seed }})
    union all
    select 'pareto', *
    from ml.simulate_lln('pareto', [1.5], n := 65536, seed := {{ seed }})
    union all
    select 'cauchy', *
    from ml.simulate_lln('cauchy', [0, 1], n := 65536, seed := {{ seed }})
)

select * from large_numbers
where log2(n) = floor(log2(n))
order by distribution, n

-- The permutation test of two means is near Student's: within the noise of 9999 splits and 0.02 for what
-- the t distribution is not.
with

siblings as (
    select
        question,
        max(p_value) filter (method = 'permutation') as permutation,
        max(p_value) filter (method like 't, %') as t,
    from hypothesis_tests.resampling_tests
    group by question
)

select * from siblings
where abs(permutation - t) > 0.02 + 4 * sqrt(t * (1 - t) / 9999)

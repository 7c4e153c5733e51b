-- Means of 200 are nearer to normal than means of 5, unless both are as near as the noise allows:
-- 1.95 / sqrt(n_samples) is exceeded by a perfect normal once in a thousand.
with

ends as (
    select
        population,
        max(distance) filter (sample_size = 5) as at_5,
        max(distance) filter (sample_size = 200) as at_200,
    from probability.central_limit
    group by population
)

select * from ends
where at_200 > greatest(at_5, 1.95 / sqrt({{ n_samples }})) or at_200 is null

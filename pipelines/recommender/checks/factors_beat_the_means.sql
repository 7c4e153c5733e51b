-- Of known viewers, the factors predict better than the mean of the film, and the truth better still.
with

errors as (
    select
        max(rmse) filter (method = 'mean of the film') as by_film,
        max(rmse) filter (method = 'factors') as by_factors,
        max(rmse) filter (method = 'truth') as by_truth,
    from recommender.rating_errors
    where viewers = 'known'
)

select * from errors
where not (by_truth < by_factors and by_factors < by_film)

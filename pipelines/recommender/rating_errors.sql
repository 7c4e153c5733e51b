-- How far are the predicted stars from those given later? No model can go below the truth, whose error
-- is the noise of the ratings. Of a viewer who is new a model knows nothing but the films.
with

overall as (select avg(stars) as mean from recommender.training),

predicted as (
    select
        is_new,
        held_out.stars,
        overall.mean as by_mean,
        coalesce(popular.damped_rating, overall.mean) as by_film,
        predicted_stars as by_factors,
        truth.stars as by_truth,
    from ml.predict('film_stars', 'recommender.held_out') as held_out
    cross join overall
    left join recommender.popularity as popular using (film_id)
    join recommender.truth as truth using (viewer_id, film_id)
),

errors as (
    unpivot (
        select is_new, stars, by_mean as "overall mean", by_film as "mean of the film", by_factors as "factors", by_truth as "truth",
        from predicted
    )
    on columns(* exclude (is_new, stars)) into name method value predicted
),

rating_errors as (
    select
        if(is_new, 'new', 'known') as viewers,
        method,
        count(*) as ratings,
        sqrt(avg((stars - predicted) ** 2)) as rmse,
        avg(abs(stars - predicted)) as mae,
    from errors
    group by all
)

select * from rating_errors
order by viewers, rmse

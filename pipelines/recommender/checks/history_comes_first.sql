-- Every rating that is learnt from was given before every one that is held out.
with

edges as (
    select
        max(rated_at) filter (training.film_id is not null) as last_learnt,
        min(rated_at) filter (training.film_id is null) as first_held_out,
    from cinema.ratings as ratings
    left join recommender.training as training using (viewer_id, film_id)
)

select * from edges
where last_learnt >= first_held_out or last_learnt is null or first_held_out is null

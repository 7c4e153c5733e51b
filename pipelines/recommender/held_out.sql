-- What happened afterwards; a viewer without an earlier rating is new.
with

known as (select distinct viewer_id from recommender.training),

held_out as (
    select
        ratings.viewer_id,
        film_id,
        stars,
        stars >= {{ liked_from }} as is_liked,
        known.viewer_id is null as is_new,
    from cinema.ratings as ratings
    left join known on known.viewer_id = ratings.viewer_id
    where rated_at >= {{ test_from }}
)

select * from held_out
order by viewer_id, film_id

-- Every method's list for every viewer who has rated something, beside two that know the truth: the
-- films that the viewer would like best, and those that they will most likely watch and like.
with

viewers as (select distinct viewer_id from recommender.training),

best as (
    select
        viewer_id,
        film_id,
        row_number() over (partition by viewer_id order by chance desc) as rank_by_chance,
        row_number() over (partition by viewer_id order by stars desc) as rank_by_stars,
    from viewers
    join recommender.truth as truth using (viewer_id)
    anti join recommender.training as training using (viewer_id, film_id)
),

recommendations as (
    select 'popularity' as method, user_id as viewer_id, item_id as film_id, rank
    from recommender.by_popularity
    union all
    select 'like films', user_id, item_id, rank
    from recommender.by_films
    union all
    select 'like viewers', user_id, item_id, rank
    from recommender.by_viewers
    union all
    select 'content', user_id, item_id, rank
    from recommender.by_content
    union all
    select 'explicit factors', viewer_id, film_id, rank
    from ml.recommend('film_stars', top_n := {{ list_length }}, exclude_seen := true)
    union all
    select 'implicit factors', viewer_id, film_id, rank
    from ml.recommend('film_views', top_n := {{ list_length }}, exclude_seen := true)
    union all
    select 'pairwise factors', viewer_id, film_id, rank
    from ml.recommend('film_order', top_n := {{ list_length }}, exclude_seen := true)
    union all
    select 'true chances', viewer_id, film_id, rank_by_chance
    from best
    where rank_by_chance <= {{ list_length }}
    union all
    select 'true stars', viewer_id, film_id, rank_by_stars
    from best
    where rank_by_stars <= {{ list_length }}
)

select * from recommendations
order by method, viewer_id, rank

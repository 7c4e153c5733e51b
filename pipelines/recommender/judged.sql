-- Each list beside what its viewer liked later: a row a method, viewer and film that is recommended,
-- or liked, or both. A film that is liked and not recommended has no score.
with

methods as (select distinct method from recommender.recommendations),

liked as (
    select method, viewer_id, film_id
    from recommender.held_out
    cross join methods
    where is_liked and not is_new
),

judged as (
    select
        method,
        viewer_id,
        film_id,
        -rank as score,
        (liked.film_id is not null)::integer as relevance,
    from recommender.recommendations
    full join liked using (method, viewer_id, film_id)
)

select * from judged
order by method, viewer_id, film_id

-- The places of a list are 1, 2, 3 … without gaps, each film is in it once, and every method but the
-- neighbours, who may know too little, fills it for every viewer.
with

lists as (
    select
        method,
        viewer_id,
        count(*) as films,
        count(distinct film_id) as different,
        min(rank) as first,
        max(rank) as last,
    from recommender.recommendations
    group by method, viewer_id
)

select * from lists
where films <> different or first <> 1 or last <> films
    or (films < {{ list_length }} and method not in ('like films', 'like viewers'))

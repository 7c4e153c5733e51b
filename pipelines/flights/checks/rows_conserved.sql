-- No join drops or repeats a flight on the way from the source to the features.
with

counts as (
    select
        (select count(*) from nycflights13.flights) as source,
        (select count(*) from flights.legs) as legs,
        (select count(*) from flights.features) as features,
        (select count(*) from flights.features where is_test) as held_out,
        (select count(*) from flights.scores) as scores,
)

select * from counts
where source <> legs or legs <> features or held_out <> scores

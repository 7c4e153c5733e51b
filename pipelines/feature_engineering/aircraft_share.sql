-- The share of late flights of each aircraft, made twice: there are thousands of aircraft with a few flights each.
--
-- naive: over all training flights of the aircraft, the row among them, so that it has seen the answer.
-- cross_fitted: over those of the four other fifths, as ML.TARGET_ENCODER does for the rows that it learns from;
-- flights held out have seen nothing of themselves either way.
with

folded as (
    select
        *,
        if(is_test, null, floor(5 * ml.random_uniform(2, flight_id))::integer) as fold,
        if(is_test, null, is_late::integer) as known,
    from feature_engineering.features
),

summed as (
    select
        *,
        sum(known) over aircraft as late,
        count(known) over aircraft as flights,
        sum(known) over own_fold as late_in_fold,
        count(known) over own_fold as flights_in_fold,
        avg(known) over () as share,
    from folded
    window
        aircraft as (partition by tail_number),
        own_fold as (partition by tail_number, fold)
),

aircraft_share as (
    select
        flight_id,
        is_test,
        is_late,
        coalesce(late / nullif(flights, 0), share) as naive,
        coalesce((late - if(is_test, 0, late_in_fold)) / nullif(flights - if(is_test, 0, flights_in_fold), 0), share) as cross_fitted,
    from summed
)

select * from aircraft_share

-- Every training flight is due to leave before every held-out one.
with

edges as (
    select
        max(scheduled_departure_local) filter (not is_test) as last_training,
        min(scheduled_departure_local) filter (is_test) as first_held_out,
    from flights.features
)

select * from edges
where last_training >= first_held_out or last_training is null or first_held_out is null

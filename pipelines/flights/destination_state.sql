-- The destination as it stands when the prediction is made: delays of recent arrivals there.
with

moments as (
    select flight_id, destination, predicted_at as moment, null as delay,
    from flights.legs
    union all
    select null, destination, arrived_at, arrival_delay_minutes,
    from flights.legs
    where arrived_at is not null
),

windows as (
    select
        flight_id,
        avg(delay) over last_six_hours as destination_delay_6h,
        count(delay) over last_six_hours as destination_arrivals_6h,
        max(moment) filter (flight_id is null) over last_six_hours as known_at,
    from moments
    window last_six_hours as (
        partition by destination order by moment
        range between interval 6 hours preceding and current row
    )
),

destination_state as (
    select * from windows
    where flight_id is not null
)

select * from destination_state
order by flight_id

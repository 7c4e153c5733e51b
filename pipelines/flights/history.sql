-- How often the same flight, and the same carrier to the same destination, were late of late.
with

moments as (
    select flight_id, carrier, flight_number, destination, predicted_at as moment, null as is_late,
    from flights.legs
    union all
    select null, carrier, flight_number, destination, arrived_at, is_late::int,
    from flights.legs
    where arrived_at is not null
),

windows as (
    select
        flight_id,
        avg(is_late) over flight as flight_late_share,
        count(is_late) over flight as flight_arrivals,
        avg(is_late) over route as route_late_share,
        count(is_late) over route as route_arrivals,
        greatest(
            max(moment) filter (flight_id is null) over flight,
            max(moment) filter (flight_id is null) over route
        ) as known_at,
    from moments
    window
        flight as (
            partition by carrier, flight_number, destination order by moment
            range between interval 60 days preceding and current row
        ),
        route as (
            partition by carrier, destination order by moment
            range between interval 28 days preceding and current row
        )
),

history as (
    select * from windows
    where flight_id is not null
)

select * from history
order by flight_id

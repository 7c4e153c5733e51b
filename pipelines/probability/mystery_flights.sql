-- Flights of a carrier that is not named: how likely is each under each carrier?
--
-- 400 flights of the mystery carrier, drawn from the even days of the months and put in the order of
-- time; one row for each flight and hypothesis. They are drawn because flights of one day share its
-- weather, and Bayes' theorem takes the product of likelihoods only of independent evidence. The
-- likelihood was learned from the odd days, so nothing is judged by what it was learned from.
with

drawn as (
    select *
    from probability.departures
    where day % 2 = 0 and carrier = {{ mystery_carrier }}
    qualify row_number() over (order by ml.random_uniform({{ seed }}, flight_id)) <= 400
),

flights as (
    select
        row_number() over (order by flight_id) as step,
        case
            when arrival_delay < -15 then 'early'
            when arrival_delay <= 0 then 'in time'
            when arrival_delay <= 15 then 'up to 15'
            when arrival_delay <= 60 then 'up to 60'
            else 'over 60'
        end as delay_class,
    from drawn
),

mystery_flights as (
    select
        step,
        delay_class,
        profiles.carrier as hypothesis,
        1 as prior,
        likelihood,
    from flights
    join probability.carrier_profiles as profiles using (delay_class)
)

select * from mystery_flights
order by step, hypothesis

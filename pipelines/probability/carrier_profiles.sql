-- How often does each carrier arrive early, on time, late, or very late?
--
-- P(class of delay | carrier) on the odd days of the months: the likelihoods of the next steps.
-- One flight is added to every class, so that no likelihood is 0: a carrier without a very late
-- flight so far is not thereby ruled out for ever. Carriers of fewer than 200 flights are left out: so
-- few make a profile of chance alone, and a flat one fits everything a little.
with

classed as (
    select
        carrier,
        case
            when arrival_delay < -15 then 'early'
            when arrival_delay <= 0 then 'in time'
            when arrival_delay <= 15 then 'up to 15'
            when arrival_delay <= 60 then 'up to 60'
            else 'over 60'
        end as delay_class,
    from probability.departures
    where day % 2 = 1
    qualify count(*) over (partition by carrier) >= 200
),

cells as (
    select carrier, delay_class
    from (select distinct carrier from classed)
    cross join (select distinct delay_class from classed)
),

carrier_profiles as (
    select
        carrier,
        delay_class,
        count(classed.carrier) as flights,
        (count(classed.carrier) + 1) / sum(count(classed.carrier) + 1) over (partition by carrier) as likelihood,
    from cells
    left join classed using (carrier, delay_class)
    group by carrier, delay_class
)

select * from carrier_profiles
order by carrier, delay_class

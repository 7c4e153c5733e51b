-- Samples of real delays, drawn with replacement: the urn of the steps below.
--
-- n_samples samples each of 5, 30 and 200 flights. Draw i of the seed picks the flight, so the samples
-- are the same in every run and on every machine.
with

sizes as (select unnest([5, 30, 200]) as sample_size),

urn as (select flight_id, arrival_delay from probability.departures),

n_flights as (select count(*) as n from urn),

draws as (
    select
        sample_size,
        sample,
        1 + floor(n * ml.random_uniform({{ seed }} + sample_size, sample * sample_size + draw))::bigint as flight_id,
    from sizes, range({{ n_samples }}) as samples(sample), range(sample_size) as draws(draw), n_flights
),

delays_at_random as (
    select
        sample_size,
        sample,
        avg(arrival_delay) as mean,
        stddev_samp(arrival_delay) as sd,
    from draws
    join urn using (flight_id)
    group by sample_size, sample
)

select * from delays_at_random
order by sample_size, sample

-- Do two carriers differ in arrival delay?
--
-- treatment_carrier against control_carrier, by more and more flights, drawn at random; then by days,
-- each day a pair of the two carriers' means; then on one route that both fly.
-- Notice: with all flights p is 1e-27 and Cohen's d 0.08. The first says that the difference is no
-- accident of chance, the second that it is small: of a flight of either, one could hardly guess the
-- carrier from its delay. d settles as flights are added; p falls without end.
-- The limit: the flights of a day share its weather, so they are fewer than they look. Of 365 pairs of
-- days the standard error is honest, for weather is the same on both sides.
with

two as (
    select *, carrier = {{ treatment_carrier }} as treated
    from hypothesis_tests.arrivals
    where carrier in ({{ treatment_carrier }}, {{ control_carrier }})
),

shuffled as (
    select *, row_number() over (order by ml.random_uniform({{ seed }} + 1, flight_id), flight_id) as place
    from two
),

sizes as (select unnest([100, 1000, 10000, 1000000]) as size),

days as (
    select
        avg(arrival_delay) filter (treated) as treatment,
        avg(arrival_delay) filter (not treated) as control,
    from two
    group by flight_date
),

shared_route as (
    select origin, destination
    from two
    group by origin, destination
    order by least(count(*) filter (treated), count(*) filter (not treated)) desc, origin, destination
    limit 1
),

tests as (
    select
        case when size = 1000000 then 'carriers: all flights' else format('carriers: {} flights', size) end as question,
        't, Welch' as method,
        ml.t_test_welch(arrival_delay, treated, confidence_level := {{ confidence_level }}) as test,
    from shuffled
    join sizes on place <= size
    group by size
    union all
    select
        'carriers: all flights',
        't, pooled',
        ml.t_test_ind(arrival_delay, treated, confidence_level := {{ confidence_level }}),
    from two
    union all
    select
        'carriers: all flights',
        'z',
        ml.z_test_ind(arrival_delay, treated, confidence_level := {{ confidence_level }}),
    from two
    union all
    select
        'carriers: means of days',
        't, paired',
        ml.t_test_paired(treatment, control, confidence_level := {{ confidence_level }}),
    from days
    union all
    select
        'carriers: the route most shared, ' || any_value(origin) || ' to ' || any_value(destination),
        't, Welch',
        ml.t_test_welch(arrival_delay, treated, confidence_level := {{ confidence_level }}),
    from two
    join shared_route using (origin, destination)
    union all
    select
        'carriers: share late by more than 30 minutes',
        'z of shares',
        ml.proportion_test_ind(is_late, treated, confidence_level := {{ confidence_level }}),
    from two
),

carrier_tests as (select question, method, test.* from tests)

select * from carrier_tests
order by question, method

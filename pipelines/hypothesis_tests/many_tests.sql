-- What if one asks a hundred questions at once?
--
-- For each of the carriers and five metrics a Welch test. Once with a real question: the carrier against all
-- others, in the first week of March. And once with none: its flights of odd numbers against those of even
-- ones, over the whole year, where nothing differs.
-- Notice: see adjusted_tests for what becomes of them.
-- The limit: the metrics of one carrier hang together, so the tests are not independent.
with

measured as (
    unpivot (
        select
            flight_id,
            flight_date,
            carrier,
            arrival_delay::double as arrival_delay,
            departure_delay::double as departure_delay,
            made_up::double as made_up,
            is_late::int::double as is_late,
            (arrival_delay < 0)::int::double as is_early,
        from hypothesis_tests.arrivals
    )
    on arrival_delay, departure_delay, made_up, is_late, is_early
    into name metric value y
),

week as (select * from measured where flight_date between date '2013-03-01' and date '2013-03-07'),

carriers as (select distinct carrier from week),

tests as (
    select
        'carrier against the others' as family,
        carriers.carrier as carrier,
        metric,
        ml.t_test_welch(y, week.carrier = carriers.carrier, confidence_level := {{ confidence_level }}) as test,
    from week
    cross join carriers
    group by carriers.carrier, metric
    union all
    select
        'odd against even flights',
        carrier,
        metric,
        ml.t_test_welch(y, flight_id % 2 = 1, confidence_level := {{ confidence_level }}),
    from measured
    group by carrier, metric
),

many_tests as (
    select family, family || ': ' || carrier || ', ' || metric as question, 't, Welch' as method, test.*
    from tests
)

select * from many_tests
order by family, question

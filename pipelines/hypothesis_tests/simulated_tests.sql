-- What would a test say if we could repeat the study n_samples times?
--
-- Pairs of samples of which the truth is known, each pair tested by Student's t test and by Welch's:
--   nothing differs          10 and 10 normal values, same mean, same sd: the null as the books have it
--   the small arm is wilder  8 values of sd 3 and 32 of sd 1, same mean: the null, but not equal variances
--   means one sd apart       10 and 10, the treatment is 1 higher: the null is wrong
--   delays of one carrier    30 and 30 arrival delays drawn from those of the control carrier: the null,
--                            and far from normal
-- Notice: a row is one study. A researcher sees one of them, and not which.
-- The limit: drawn values are independent; of real flights that is true because they are drawn here.
with

scenarios as (
    select * from (values
        (1, 'nothing differs', 10, 10, 1e0, 0e0),
        (2, 'the small arm is wilder', 8, 32, 3e0, 0e0),
        (3, 'means one sd apart', 10, 10, 1e0, 1e0)
    ) as scenarios(scenario_id, scenario, n_treatment, n_control, sd_treatment, truth)
),

normal_draws as (
    select
        scenario,
        truth,
        sample,
        draw < n_treatment as treated,
        case when treated then truth else 0e0 end
            + case when treated then sd_treatment else 1e0 end
                * ml.normal_random(1000 * {{ seed }} + scenario_id, 100 * sample + draw) as y,
    from scenarios, range({{ n_samples }}) as samples(sample), range(n_treatment + n_control) as draws(draw)
),

urn as (
    select arrival_delay, row_number() over (order by flight_id) as ball, count(*) over () as n
    from hypothesis_tests.arrivals
    where carrier = {{ control_carrier }}
),

delay_draws as (
    select
        sample,
        draw < 30 as treated,
        1 + floor(n * ml.random_uniform(1000 * {{ seed }} + 4, 100 * sample + draw))::bigint as ball,
    from range({{ n_samples }}) as samples(sample), range(60) as draws(draw), (select max(n) as n from urn)
),

draws as (
    select scenario, truth, sample, treated, y from normal_draws
    union all
    select 'delays of one carrier', 0e0, sample, treated, arrival_delay
    from delay_draws
    join urn using (ball)
),

tested as (
    select
        scenario,
        truth,
        sample,
        ml.t_test_ind(y, treated, confidence_level := {{ confidence_level }}) as student,
        ml.t_test_welch(y, treated, confidence_level := {{ confidence_level }}) as welch,
    from draws
    group by scenario, truth, sample
),

simulated_tests as (
    select scenario, 'Student' as method, truth, sample, student as test from tested
    union all
    select scenario, 'Welch', truth, sample, welch from tested
)

select * exclude (test), test.* from simulated_tests
order by scenario, method, sample

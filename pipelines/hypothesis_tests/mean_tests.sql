-- Is a mean what it should be, and do two means differ?
--
-- One sample against a number, the two sides of pairs, two independent arms; with t where the sd is
-- estimated, with z where it is known. Pairs are Gosset's ten patients, who each took both drugs.
-- Notice: taken as pairs p is 0.003, taken as twenty strangers 0.08, from the same twenty numbers: the
-- patients differ more than the drugs, and pairs take that out. Pooled and Welch differ in the third
-- digit, for the arms are of one size. An odd z test: 100 flights drawn from a population whose mean
-- and sd are known, so that the null is true.
-- The limit: a t test of two means is of means. Whether a mean is the number of interest is not its
-- business.
with

sleep as (
    select
        patient,
        max(extra_hours) filter (drug = 'dextro') as dextro,
        max(extra_hours) filter (drug = 'laevo') as laevo,
    from textbook.sleep
    group by patient
),

drawn as (
    select arrival_delay
    from hypothesis_tests.arrivals
    order by ml.random_uniform({{ seed }}, flight_id)
    limit 100
),

population as (select avg(arrival_delay) as mean, stddev_pop(arrival_delay) as sd from hypothesis_tests.arrivals),

tests as (
    select
        'sleep: does dextro add any?' as question,
        't, one sample' as method,
        ml.t_test_1samp(dextro, 0, confidence_level := {{ confidence_level }}) as test,
    from sleep
    union all
    select
        'sleep: dextro less laevo',
        't, paired',
        ml.t_test_paired(dextro, laevo, confidence_level := {{ confidence_level }}),
    from sleep
    union all
    select
        'sleep: dextro less laevo',
        't, pooled',
        ml.t_test_ind(extra_hours, drug = 'dextro', confidence_level := {{ confidence_level }}),
    from textbook.sleep
    union all
    select
        'sleep: dextro less laevo',
        't, Welch',
        ml.t_test_welch(extra_hours, drug = 'dextro', confidence_level := {{ confidence_level }}),
    from textbook.sleep
    union all
    select
        'teeth: orange juice less vitamin C',
        't, Welch',
        ml.t_test_welch(length_um, supplement = 'OJ', confidence_level := {{ confidence_level }}),
    from textbook.tooth_growth
    union all
    select
        'penguins: mass of males less females',
        't, Welch',
        ml.t_test_welch(body_mass_g, sex = 'male', confidence_level := {{ confidence_level }}),
    from penguins
    union all
    select
        '100 flights: is their mean that of all?',
        'z, sd known',
        -- the mean and the sd have to be numbers, so the values are standardized instead
        ml.z_test_1samp((arrival_delay - mean) / sd, 0, sd := 1, confidence_level := {{ confidence_level }}),
    from drawn, population
),

mean_tests as (select question, method, test.* from tests)

select * from mean_tests

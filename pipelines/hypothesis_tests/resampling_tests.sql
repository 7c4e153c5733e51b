-- What if no formula fits? Draw again from the data themselves.
--
-- The bootstrap: 500 arrival delays, their median, and how it varies over resamples; beside it the interval
-- that counts ranks. The permutation test: the two arms dealt out anew 9999 times, and how often the
-- difference of the means is as great; beside it Welch's t.
-- Notice: the permutation test has no use for a normal distribution, and says nearly what the t test says:
-- 0.119 and 0.132, 0.050 and 0.048. The bootstrap works for any aggregate, also where nobody has a formula.
-- The limit: of 15 membranes the bootstrap knows no more than 15 values; and a median of whole
-- minutes jumps.
with

drawn as (
    select arrival_delay
    from hypothesis_tests.arrivals
    order by ml.random_uniform({{ seed }} + 3, flight_id)
    limit 500
),

intervals as (
    select ml.median_interval(arrival_delay, confidence_level := {{ confidence_level }}) as interval
    from drawn
),

student as (
    select ml.t_test_ind(constant, gestation = 'at term', confidence_level := {{ confidence_level }}) as test
    from textbook.permeability
),

welch as (
    select ml.t_test_welch(weight_g, treatment = 'trt2', confidence_level := {{ confidence_level }}) as test
    from textbook.plant_growth
    where treatment <> 'trt1'
),

tests as (
    {% for method in ["percentile", "bca"] %}
    select 'delays: the median of 500' as question, 'bootstrap, {{ method }}' as method, *
    from ml.bootstrap_ci(
        '(select arrival_delay from hypothesis_tests.arrivals order by ml.random_uniform({{ seed }} + 3, flight_id) limit 500)',
        'arrival_delay', 'median', method := '{{ method }}', seed := {{ seed }},
        confidence_level := {{ confidence_level }}
    )
    union all by name
    {% endfor %}
    select 'delays: the median of 500' as question, 'ranks' as method, interval.* from intervals
    union all by name
    select 'membranes: means at term less 12-26 weeks' as question, 'permutation' as method, *
    from ml.permutation_test('textbook.permeability', 'constant', 'gestation', treatment := 'at term', seed := {{ seed }})
    union all by name
    select 'membranes: means at term less 12-26 weeks' as question, 't, pooled' as method, test.* from student
    union all by name
    select 'plants: trt2 less ctrl' as question, 'permutation' as method, *
    from ml.permutation_test(
        '(select * from textbook.plant_growth where treatment <> ''trt1'')', 'weight_g', 'treatment', seed := {{ seed }}
    )
    union all by name
    select 'plants: trt2 less ctrl' as question, 't, Welch' as method, test.* from welch
)

select * from tests
order by question, method

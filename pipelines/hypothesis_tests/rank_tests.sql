-- What if the data are not normal? Ranks in place of values, each beside its parametric sibling.
--
-- Mann-Whitney beside Welch, Wilcoxon's signed ranks beside the paired t test, Kruskal-Wallis beside
-- analysis of variance, Friedman beside that of repeated measures.
-- Notice: siblings mostly agree, also where the data are counts of insects. The membranes are the exception:
-- Welch's p is 0.03 and that of the ranks 0.13, for the five early ones lie close together, which Welch takes
-- as known from five values. A wild value cannot carry ranks away.
-- The limit: they answer another question. Mann-Whitney asks whether a value of one arm tends to lie
-- above one of the other, not whether means differ.
with

aggregates as (
    select
        'depression: second visit less first' as question,
        't, paired' as method,
        ml.t_test_paired(second_visit, first_visit, alternative := 'less', confidence_level := {{ confidence_level }}) as test,
    from hypothesis_tests.depression_visits
    union all
    select
        'membranes: at term less 12-26 weeks',
        't, Welch',
        ml.t_test_welch(
            constant, gestation = 'at term', alternative := 'greater', confidence_level := {{ confidence_level }}
        ),
    from textbook.permeability
),

tests as (
    select question, method, test.* from aggregates
    union all by name
    select 'depression: second visit less first' as question, 'Wilcoxon' as method, * exclude (method)
    from ml.wilcoxon_signed_rank(
        'hypothesis_tests.depression_visits',
        'second_visit', 'first_visit', alternative := 'less', confidence_level := {{ confidence_level }}
    )
    union all by name
    select 'depression: second visit less first' as question, 'sign' as method, *
    from ml.sign_test(
        'hypothesis_tests.depression_visits',
        'second_visit', 'first_visit', alternative := 'less', confidence_level := {{ confidence_level }}
    )
    union all by name
    select 'membranes: at term less 12-26 weeks' as question, 'Mann-Whitney' as method, * exclude (method)
    from ml.mann_whitney(
        'textbook.permeability', 'constant', 'gestation', treatment := 'at term', alternative := 'greater',
        confidence_level := {{ confidence_level }}
    )
    union all by name
    select 'membranes: at term less 12-26 weeks' as question, 'Brunner-Munzel' as method, *
    from ml.brunner_munzel(
        'textbook.permeability', 'constant', 'gestation', treatment := 'at term', alternative := 'greater',
        confidence_level := {{ confidence_level }}
    )
    union all by name
    select 'sprays: do they leave as many insects?' as question, 'Kruskal-Wallis' as method, *
    from ml.kruskal_wallis('textbook.insect_sprays', 'n_insects', 'spray')
    union all by name
    select 'plants: does the treatment change the weight?' as question, 'Kruskal-Wallis' as method, *
    from ml.kruskal_wallis('textbook.plant_growth', 'weight_g', 'treatment')
    union all by name
    select 'bases: does the way of rounding matter?' as question, 'Friedman' as method, *
    from ml.friedman('textbook.rounding_times', 'seconds', 'player', 'method')
)

select * from tests
order by question, method

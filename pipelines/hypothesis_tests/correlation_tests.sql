-- Do two columns go together?
--
-- Pearson's r is of a straight line, Spearman's rho and Kendall's tau of any rising one. Anscombe made
-- four sets of eleven points with the same means, variances and r = 0.82.
-- Notice: r cannot tell them apart: a cloud, a parabola, a line with one point off it, and a column of points
-- with one far away. Ranks can: rho is 0.82, 0.69, 0.99 and 0.5.
-- The limit: no number replaces the picture, and no correlation says what causes what.
with

pearson as (
    select
        'Anscombe ' || quartet || ': does y rise with x?' as question,
        'Pearson' as method,
        ml.pearson_test(x, y, confidence_level := {{ confidence_level }}) as test,
    from textbook.anscombe
    group by quartet
    union all
    select
        'penguins: does mass rise with flippers?',
        'Pearson',
        ml.pearson_test(flipper_length_mm, body_mass_g, confidence_level := {{ confidence_level }}),
    from penguins
    union all
    -- within a species the depth of a bill rises with its length, over all it falls
    select
        'penguins: are long bills deep, ' || coalesce(species, 'all') || '?',
        'Pearson',
        ml.pearson_test(bill_length_mm, bill_depth_mm, confidence_level := {{ confidence_level }}),
    from penguins
    group by grouping sets ((), (species))
),

tests as (
    select question, method, test.* from pearson
    {% for quartet in [1, 2, 3, 4] %}
    union all by name
    select 'Anscombe {{ quartet }}: does y rise with x?' as question, 'Spearman' as method, *
    from ml.spearman_test(
        '(select * from textbook.anscombe where quartet = {{ quartet }})', 'x', 'y', confidence_level := {{ confidence_level }}
    )
    union all by name
    select 'Anscombe {{ quartet }}: does y rise with x?' as question, 'Kendall' as method, * exclude (method)
    from ml.kendall_test(
        '(select * from textbook.anscombe where quartet = {{ quartet }})', 'x', 'y', confidence_level := {{ confidence_level }}
    )
    {% endfor %}
)

select * from tests
order by question, method

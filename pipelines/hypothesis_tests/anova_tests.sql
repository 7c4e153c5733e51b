-- Do several groups differ in the mean?
--
-- F compares the spread of the means with the spread within the groups. It assumes one variance within
-- all, so Levene's test comes first, and Welch's analysis of variance beside it, which does not.
-- Notice: the sprays fail Levene, and still every test says the same, for they differ that much. Two
-- factors at once: orange juice is better at small doses and no better at 2 mg, which is an interaction.
-- AtmWtAg differs in the 7th digit of 107.868; the DECIMALs are taken exactly, so no digit is lost.
-- The limit: F says that some means differ, not which; see anova_pairs. A test of assumptions before a
-- test is a test too; with Welch's it is not needed.
with

tests as (
    {% for question, source, metric, factor in [
        ("plants: does the treatment change the weight?", "textbook.plant_growth", "weight_g", "treatment"),
        ("sprays: do they leave as many insects?", "textbook.insect_sprays", "n_insects", "spray"),
        ("penguins: does mass differ by species?", "penguins", "body_mass_g", "species"),
    ] %}
    {% for name, test in [("Levene", "levene"), ("Bartlett", "bartlett"), ("Fligner", "fligner"), ("anova", "anova"), ("anova, Welch", "anova_welch")] %}
    select '{{ question }}' as question, '{{ name }}' as method, *
    from ml.{{ test }}('{{ source }}', '{{ metric }}', '{{ factor }}')
    union all by name
    {% endfor %}
    {% endfor %}
    {% for dataset in ["SiRstv", "AtmWtAg"] %}
    select 'NIST {{ dataset }}: do the instruments agree?' as question, 'anova' as method, *
    from ml.anova('(select * from nist.anova where dataset = ''{{ dataset }}'')', 'response', 'treatment')
    union all by name
    {% endfor %}
    select
        'teeth: ' || case term
            when 'factor_a' then 'does the supplement matter?'
            when 'factor_b' then 'does the dose matter?'
            else 'does the one depend on the other?'
        end as question,
        'anova, two-way' as method,
        * exclude (term),
    from ml.anova_two_way('textbook.tooth_growth', 'length_um', 'supplement', 'dose_mg')
    where term <> 'residual'
    union all by name
    select 'bases: does the way of rounding matter?' as question, 'anova, repeated' as method, *
    from ml.anova_repeated('textbook.rounding_times', 'seconds', 'player', 'method')
)

select * from tests
order by question, method

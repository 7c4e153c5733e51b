-- Which of the groups differ?
--
-- After analysis of variance, every pair of groups: Tukey's differences, which assume one variance, Games
-- and Howell's, which do not, Dunnett's, which compares with the control alone. Their p-values and
-- intervals are already adjusted for the number of pairs.
-- Notice: the F test of the plants is significant, and neither treatment differs from the control; what
-- differs are the treatments from each other. Dunnett does not ask that, and so is surer of what it asks.
-- The limit: intervals that hold all at once are wider than those of one pair planned beforehand.
with

pairs as (
    {% for data, source, metric, factor in [
        ("plants", "textbook.plant_growth", "weight_g", "treatment"),
        ("sprays", "textbook.insect_sprays", "n_insects", "spray"),
        ("penguins", "penguins", "body_mass_g", "species"),
    ] %}
    {% for name, test in [("Tukey", "tukey_hsd"), ("Games-Howell", "games_howell")] if (data, name) != ("sprays", "Games-Howell") %}
    select '{{ data }}' as data, '{{ name }}' as method, *
    from ml.{{ test }}('{{ source }}', '{{ metric }}', '{{ factor }}', confidence_level := {{ confidence_level }})
    union all by name
    {% endfor %}
    {% endfor %}
    select 'plants' as data, 'Dunnett' as method, *
    from ml.dunnett('textbook.plant_growth', 'weight_g', 'treatment', confidence_level := {{ confidence_level }})
),

anova_pairs as (select data || ': ' || group_2 || ' less ' || group_1 as question, * exclude (data) from pairs)

select * from anova_pairs
order by question, method

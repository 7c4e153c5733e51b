-- Are the data normal? And why does a large table never pass?
--
-- Shapiro and Wilk's test and Anderson and Darling's, of some small tables, and of one population,
-- minutes in the air to Los Angeles, by more and more of its flights.
-- Notice: W says how straight the normal plot is. It is 0.95 by 30 flights and 0.996 by 5000, so the plot
-- grows straighter; and p falls from 0.2, unremarkable, to 5e-11. No real column is exactly normal, and enough rows always show it. What matters
-- is how far from normal, and whether the method at hand minds: a mean of 5000 does not.
-- The limit: of a small sample the test passes nearly everything. It is silent when the question matters
-- and loud when it does not.
with

tests as (
    {% for question, source, metric in [
        ("Nile: is the flow normal?", "textbook.nile", "flow_1e8_m3"),
        ("penguins: is mass normal, all?", "penguins", "body_mass_g"),
        ("penguins: is mass normal, male Gentoo?", "(select * from penguins where species = ''Gentoo'' and sex = ''male'')", "body_mass_g"),
    ] %}
    {% for name, test in [("Shapiro-Wilk", "shapiro_wilk"), ("Anderson-Darling", "anderson_darling")] %}
    select '{{ question }}' as question, '{{ name }}' as method, *
    from ml.{{ test }}('{{ source }}', '{{ metric }}')
    union all by name
    {% endfor %}
    {% endfor %}
    {% for n in [30, 100, 1000, 5000] %}
    select 'air time: is it normal, by {{ n }} flights?' as question, 'Shapiro-Wilk' as method, *
    from ml.shapiro_wilk('(select * from hypothesis_tests.shuffled_flights where place <= {{ n }})', 'air_time')
    union all by name
    {% endfor %}
    -- are p-values uniform where nothing differs, as they should be?
    {% for scenario, method in [("nothing differs", "Student"), ("the small arm is wilder", "Student"), ("the small arm is wilder", "Welch")] %}
    select 'p-values: uniform where {{ scenario }}? {{ method }}' as question, 'Kolmogorov-Smirnov' as method, * exclude (location)
    from ml.ks_1samp(
        '(select * from hypothesis_tests.simulated_tests where scenario = ''{{ scenario }}'' and method = ''{{ method }}'')',
        'p_value', 'uniform'
    )
    {{ "union all by name" if not loop.last }}
    {% endfor %}
)

select * from tests
order by question, n, method

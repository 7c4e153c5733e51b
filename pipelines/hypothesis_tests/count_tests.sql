-- Do counts depend on each other?
--
-- Chi-square compares counts with those that independence would give, in one number; where counts are
-- small, Fisher's, Barnard's and Boschloo's tests add up the probabilities of tables; McNemar's is for
-- the same people asked twice, where only those count who changed their mind.
-- Notice: the lady guessed 6 of 8 cups. Fisher gives 0.24, Barnard and Boschloo 0.14: Fisher holds both
-- margins fixed, which in his experiment they were. Approval fell by 4 points among 1600 people: McNemar
-- has p = 3e-5, a test of two independent samples 0.02, for it throws away that they are the same people.
-- The limit: chi-square is rough where an expected count is below 5 (min_expected), as in the tea.
with

asked_twice as (
    select first_survey = 'approve' as approved, n_people, false as treated from textbook.approval
    union all
    select second_survey = 'approve', n_people, true from textbook.approval
),

as_strangers as (
    select ml.proportion_test_ind(approved, treated, confidence_level := {{ confidence_level }}) as test
    from asked_twice, range(n_people)
),

tests as (
    {% for method in ["pearson", "g"] %}
    select 'party: does it depend on gender?' as question, 'chi-square, {{ method }}' as method, *
    from ml.chi2_independence('textbook.party', 'gender', 'party', weight := 'n_people', method := '{{ method }}')
    union all by name
    {% endfor %}
    select 'penguins: as many on each island?' as question, 'chi-square, goodness of fit' as method, *
    from ml.chi2_goodness_of_fit('penguins', 'island')
    union all by name
    {% for name, test in [("Fisher", "fisher_exact"), ("Barnard", "barnard_exact"), ("Boschloo", "boschloo_exact")] %}
    {% for alternative in ["two-sided", "greater"] %}
    select 'tea: can she tell?' as question, '{{ name }}, {{ alternative }}' as method, *
    from ml.{{ test }}(
        'textbook.tea_tasting', 'poured_first', 'guessed', weight := 'n_cups', alternative := '{{ alternative }}'
        {{- ", confidence_level := " ~ confidence_level if name == "Fisher" }}
    )
    union all by name
    {% endfor %}
    {% endfor %}
    select 'tea: can she tell?' as question, 'chi-square, Yates' as method, *
    from ml.chi2_independence('textbook.tea_tasting', 'poured_first', 'guessed', weight := 'n_cups')
    union all by name
    {% for method in ["exact", "plain", "corrected"] %}
    select 'approval: did it change?' as question, 'McNemar, {{ method }}' as method, *
    from ml.mcnemar(
        'textbook.approval', 'first_survey', 'second_survey', weight := 'n_people', method := '{{ method }}',
        confidence_level := {{ confidence_level }}
    )
    union all by name
    {% endfor %}
    select 'approval: did it change?' as question, 'z of shares, wrong here' as method, test.*
    from as_strangers
)

select * from tests
order by question, method

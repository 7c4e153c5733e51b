-- Did Berkeley in 1973 prefer men? A difference of shares, overall and department by department.
--
-- The z test of two shares for all applicants and within each department, estimate men less women;
-- then Cochran, Mantel and Haenszel's test, which compares within departments and adds up.
-- Notice: overall men lead by 14 points, z = 9.6. Within departments only A differs, and there women
-- lead by 20. With the department held fixed the odds ratio is 0.90 and p 0.23: Simpson's paradox,
-- for women applied where few are admitted. A test answers the question that was put, not the one meant.
-- The limit: a common odds ratio describes departments that share one; A does not share it.
with

applicants as (
    select department, gender = 'male' as treated, is_admitted
    from textbook.ucb_admissions, range(n_applicants)
),

tests as (
    select
        'Berkeley: admitted, men less women, ' || coalesce('department ' || department, 'all') as question,
        'z of shares' as method,
        ml.proportion_test_ind(is_admitted, treated, confidence_level := {{ confidence_level }}) as test,
    from applicants
    group by grouping sets ((), (department))
    union all
    select
        'Mendel: dominant in 3 of 4 peas?',
        'z of a share',
        -- R's help page of binom.test: 682 of 925, Conover (1971), page 97
        ml.proportion_test_1samp(pea < 682, 0.75, confidence_level := {{ confidence_level }}),
    from range(925) as peas(pea)
),

share_tests as (
    select question, method, test.* from tests
    union all by name
    select
        'Berkeley: odds of admission, men by women, departments held fixed' as question,
        'Cochran-Mantel-Haenszel' as method,
        *,
    from ml.cochran_mantel_haenszel(
        'textbook.ucb_admissions', 'gender', 'is_admitted', 'department',
        weight := 'n_applicants', confidence_level := {{ confidence_level }}
    )
)

select * exclude (n_strata) from share_tests
order by question, method

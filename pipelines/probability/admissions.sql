-- Did Berkeley in 1973 prefer men?
--
-- P(admitted | gender), overall and within each department (Bickel, Hammel & O'Connell 1975).
-- Notice: over all applicants men were admitted far more often; within the departments the two
-- hardly differ, and in A women were ahead by 20 points. Women applied where few are admitted: the
-- condition that matters is the department. This is Simpson's paradox.
with

overall as (
    select 'all' as department, *
    from ml.conditional_probability(
        '(select * from textbook.ucb_admissions, range(n_applicants))', 'is_admitted', 'gender'
    )
),

-- a category may be made of two
within as (
    select split_part(given, ' ', 1) as department, * replace (split_part(given, ' ', 2) as given)
    from ml.conditional_probability(
        '(select * from textbook.ucb_admissions, range(n_applicants))',
        'is_admitted',
        'department || '' '' || gender'
    )
),

admissions as (
    select department, given as gender, n_given as applicants, p_conditional as admitted_share, ci_lower, ci_upper
    from overall
    union all
    select department, given, n_given, p_conditional, ci_lower, ci_upper
    from within
)

select * from admissions
order by department = 'all' desc, department, gender

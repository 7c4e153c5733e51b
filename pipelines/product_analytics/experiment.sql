-- Did the new button make more checkouts end with a purchase?
with

tested as (
    select
        ml.proportion_test_ind(has_purchased, arm = 'treatment') as test,
        avg(has_purchased::integer) filter (arm = 'control') as control,
        avg(has_purchased::integer) filter (arm = 'treatment') as treatment,
        count(*) filter (arm = 'control') as n_control,
        count(*) filter (arm = 'treatment') as n_treatment,
    from product_analytics.checkouts
    where arm is not null
)

select
    n_control,
    n_treatment,
    control,
    treatment,
    treatment / control - 1 as lift,
    -- delta method
    treatment / control * sqrt((1 - control) / control / n_control + (1 - treatment) / treatment / n_treatment) as standard_error,
    test.p_value as p_value,
from tested

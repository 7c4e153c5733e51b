-- What does each feature add, how sure is that, and how much of the doubt is due to the other features?
--
-- standard_error is the classical one, which supposes that the errors vary alike in all rows; robust_error (HC3) does not.
-- The p-value and the interval are of the robust one. variance_inflation is how many times the other features enlarge
-- the variance of the weight.
-- Notice: all else equal, a Gentoo weighs a kilogram more than an Adelie, and a millimetre of flipper adds 14 g. The
-- two errors are near each other, so little hangs on the choice here.
-- The limit: a weight compares penguins that differ in one feature alone. Where features go together, as species and
-- bill depth do, few such pairs exist, and variance_inflation says so.
with

robust as (from ml.robust_weights('body_mass')),

weights as (
    select
        robust.processed_input,
        robust.category,
        robust.weight,
        classical.standard_error,
        robust.standard_error as robust_error,
        robust.p_value,
        robust.ci_lower,
        robust.ci_upper,
        inflation.variance_inflation,
    from robust
    left join ml.advanced_weights('body_mass') as classical
        on robust.processed_input = classical.processed_input and robust.category is not distinct from classical.category
    left join ml.variance_inflation('body_mass') as inflation
        on robust.processed_input = inflation.processed_input and robust.category is not distinct from inflation.category
)

select
    processed_input,
    category,
    weight,
    standard_error,
    robust_error,
    p_value,
    ci_lower,
    ci_upper,
    variance_inflation,
from weights
order by processed_input, category

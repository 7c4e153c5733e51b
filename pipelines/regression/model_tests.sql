-- Do the assumptions of the model hold?
--
-- Each test has one assumption as its null hypothesis: a constant variance of the errors (Breusch and Pagan, White), and the
-- right form (RESET: do powers of the predictions explain what is left?), on the training rows.
-- Notice: none of them rejects. A small p-value would speak against the assumption; a large one does not speak for it.
-- The limit: with many rows every test rejects, with few none does. Look at the residuals too.
with

model_tests as (
    select 'constant variance' as assumption, 'Breusch-Pagan' as test, statistic, df, p_value, n
    from ml.breusch_pagan('body_mass')
    union all
    select 'constant variance', 'White', statistic, df, p_value, n
    from ml.white_test('body_mass')
    union all
    select 'right form', 'RESET', statistic, df_between, p_value, n
    from ml.reset_test('body_mass')
)

select * from model_tests
order by test

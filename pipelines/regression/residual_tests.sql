-- What do the residuals of the test rows still hold?
--
-- The predictions are taken as given, so these rows are judges and not party: is the mean error zero, does the size of
-- the prediction tell the error, does the spread grow, are the errors normal?
-- Notice: bias and calibration would be zero on the training rows by construction, whatever the model. Here they are news, and
-- calibration gives p = 0.04: the heavy are predicted a little too heavy. Of five tests one may do so by accident.
-- The limit: normal errors are not needed for the weights, only for intervals that suppose them.
select * from ml.residual_diagnostics(
    '(from regression.predictions where model = ''body_mass'' and part = ''test'')',
    'body_mass_g', 'predicted_body_mass_g'
)

-- What does a penguin weigh, by its species, its sex and three measurements?
--
-- Least squares: the weights that make the sum of squared errors least. Species and sex are dummies: one level
-- is the base, and the weight of another is its difference from the base, all else equal.
-- Notice: calculate_p_values keeps what inference needs: standard errors, tests and intervals of each weight.
-- The limit: one slope for all species. Step model_tests asks whether that is right.
CREATE OR REPLACE MODEL body_mass
OPTIONS (
    model_type = 'linear_reg',
    input_label_cols = ['body_mass_g'],
    category_encoding_method = 'dummy_encoding',
    calculate_p_values = true,
    data_split_method = 'custom',
    data_split_col = 'is_calibration'
)
AS
select species, sex, bill_length_mm, bill_depth_mm, flipper_length_mm, part = 'calibration' as is_calibration, body_mass_g
from regression.measured
where part <> 'test'

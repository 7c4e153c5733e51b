-- Which of three species is a penguin, by its measurements alone?
--
-- Multinomial logistic regression: a score for each species, and probabilities that add up to 1.
-- Notice: the island is left out. Gentoo live on Biscoe only, so it would give much away.
-- The limit: a fourth species would be called one of the three, and perhaps with confidence.
CREATE OR REPLACE MODEL species
TRANSFORM (
    ML.STANDARD_SCALER(bill_length_mm) OVER () AS bill_length_mm,
    ML.STANDARD_SCALER(bill_depth_mm) OVER () AS bill_depth_mm,
    ML.STANDARD_SCALER(flipper_length_mm) OVER () AS flipper_length_mm,
    ML.STANDARD_SCALER(body_mass_g) OVER () AS body_mass_g,
    is_test,
    species
)
OPTIONS (
    model_type = 'logistic_reg',
    input_label_cols = ['species'],
    data_split_method = 'custom',
    data_split_col = 'is_test',
    l2_reg = 0.1
)
AS
select bill_length_mm, bill_depth_mm, flipper_length_mm, body_mass_g, is_test, species
from classification.penguins_split

-- The chance that a penguin is male. The scale and the species' columns are learnt with the model
-- and applied again at prediction.
CREATE OR REPLACE MODEL penguin_sex
TRANSFORM (
    ML.STANDARD_SCALER(bill_length_mm) OVER () AS bill_length_mm,
    ML.STANDARD_SCALER(bill_depth_mm) OVER () AS bill_depth_mm,
    ML.STANDARD_SCALER(flipper_length_mm) OVER () AS flipper_length_mm,
    ML.STANDARD_SCALER(body_mass_g) OVER () AS body_mass_g,
    ML.ONE_HOT_ENCODER(species) OVER () AS species,
    is_held_out,
    sex
)
OPTIONS (
    model_type = 'logistic_reg',
    input_label_cols = ['sex'],
    data_split_method = 'custom',
    data_split_col = 'is_held_out',
    l2_reg = 1.0
)
AS
select species, bill_length_mm, bill_depth_mm, flipper_length_mm, body_mass_g, is_held_out, sex
from __pipeline__.measured

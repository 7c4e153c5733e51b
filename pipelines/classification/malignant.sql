-- The chance that a tumour is malignant, by ten measurements of its greatest nuclei.
--
-- Logistic regression: the logarithm of the odds is a sum of weight times measurement. The measurements are put on
-- one scale first, so that the penalty means the same for each.
-- Notice: radius, perimeter and area say nearly the same, and training data that can be told apart without error
-- would send the weights to infinity. The penalty l2_reg keeps them finite, and readable.
-- The limit: each measurement moves the log-odds by the same amount everywhere, whatever the others are.
CREATE OR REPLACE MODEL malignant
TRANSFORM (
    ML.STANDARD_SCALER(radius_worst) OVER () AS radius_worst,
    ML.STANDARD_SCALER(texture_worst) OVER () AS texture_worst,
    ML.STANDARD_SCALER(perimeter_worst) OVER () AS perimeter_worst,
    ML.STANDARD_SCALER(area_worst) OVER () AS area_worst,
    ML.STANDARD_SCALER(smoothness_worst) OVER () AS smoothness_worst,
    ML.STANDARD_SCALER(compactness_worst) OVER () AS compactness_worst,
    ML.STANDARD_SCALER(concavity_worst) OVER () AS concavity_worst,
    ML.STANDARD_SCALER(concave_points_worst) OVER () AS concave_points_worst,
    ML.STANDARD_SCALER(symmetry_worst) OVER () AS symmetry_worst,
    ML.STANDARD_SCALER(fractal_dimension_worst) OVER () AS fractal_dimension_worst,
    is_calibration,
    diagnosis
)
OPTIONS (
    model_type = 'logistic_reg',
    input_label_cols = ['diagnosis'],
    data_split_method = 'custom',
    data_split_col = 'is_calibration',
    l2_reg = 1.0
)
AS
select * from classification.tumours_seen

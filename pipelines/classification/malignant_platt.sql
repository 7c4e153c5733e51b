-- The weighted model with Platt's calibration: a line through the log-odds, fitted on the calibration rows.
--
-- Notice: two numbers, slope and intercept. A bias towards one class is just what an intercept mends.
-- The limit: only what is a line in the log-odds is mended.
CREATE OR REPLACE MODEL malignant_platt
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
    class_weights = [('benign', 1.0), ('malignant', 10.0)],
    l2_reg = 1.0,
    calibration_method = 'PLATT'
)
AS
select * from classification.tumours_seen

-- The weighted model with isotonic calibration: the non-decreasing steps nearest to what happened.
--
-- Notice: it can follow any bias that keeps the order, and needs many rows for it. From the hundred calibration
-- rows here it learns a few steps, gives many tumours one and the same probability, and says 0 or 1 where it has
-- seen only one class.
-- The limit: a probability of 0 that is wrong once has an infinite log loss.
CREATE OR REPLACE MODEL malignant_isotonic
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
    calibration_method = 'ISOTONIC'
)
AS
select * from classification.tumours_seen

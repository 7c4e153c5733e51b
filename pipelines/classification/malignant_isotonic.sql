-- The weighted model with isotonic calibration: the non-decreasing steps nearest to what happened.
--
-- Notice: it can follow any bias that keeps the order, and needs many rows for it. From the hundred calibration
-- rows here it learns a few steps, gives many tumours one and the same probability, and says 0 or 1 where it has
-- seen only one class.
-- The limit: a probability of 0 that is wrong once has an infinite log loss.
CREATE OR REPLACE MODEL malignant_isotonic
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

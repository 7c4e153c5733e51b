-- The weighted model with Platt's calibration: a line through the log-odds, fitted on the calibration rows.
--
-- Notice: two numbers, slope and intercept. A bias towards one class is just what an intercept mends.
-- The limit: only what is a line in the log-odds is mended.
CREATE OR REPLACE MODEL malignant_platt
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

-- The weighted model with temperature: all log-odds divided by one number.
--
-- Notice: one number mends a model that is too sure of itself, or too little. It cannot mend one that
-- leans to one side, as this one does: 0.5 stays 0.5.
-- The limit: the same.
CREATE OR REPLACE MODEL malignant_temperature
OPTIONS (
    model_type = 'logistic_reg',
    input_label_cols = ['diagnosis'],
    data_split_method = 'custom',
    data_split_col = 'is_calibration',
    class_weights = [('benign', 1.0), ('malignant', 10.0)],
    l2_reg = 1.0,
    calibration_method = 'TEMPERATURE'
)
AS
select * from classification.tumours_seen

-- Before: the columns of the timetable as they are.
CREATE OR REPLACE MODEL late_before
OPTIONS (
    model_type = 'logistic_reg',
    input_label_cols = ['is_late'],
    data_split_method = 'custom',
    data_split_col = 'is_test',
    l2_reg = 1.0
)
AS
select carrier, origin, distance, departure_hour, is_late, is_test
from feature_engineering.features

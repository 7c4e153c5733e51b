-- How many minutes after schedule a flight arrives: the same features, another question. Without
-- TRANSFORM, numbers are standardised and texts one-hot encoded by themselves.
-- A few delays of many hours carry much of the squared error, so R² is low by nature.
CREATE OR REPLACE MODEL arrival_delay
OPTIONS (
    model_type = 'linear_reg',
    input_label_cols = ['arrival_delay_minutes'],
    data_split_method = 'custom',
    data_split_col = 'is_test'
)
AS
select * exclude (is_late) from flights.training

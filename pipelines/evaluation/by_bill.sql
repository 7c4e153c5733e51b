-- Female or male, by species and bill.
CREATE OR REPLACE MODEL by_bill
OPTIONS (
    model_type = 'logistic_reg',
    input_label_cols = ['sex'],
    data_split_method = 'no_split',
    l2_reg = 0.01
)
AS
select species, bill_length_mm, bill_depth_mm, sex from evaluation.penguins_split
where not is_test

-- Female or male, by species, weight and flipper.
CREATE OR REPLACE MODEL by_body
OPTIONS (
    model_type = 'logistic_reg',
    input_label_cols = ['sex'],
    data_split_method = 'no_split',
    l2_reg = 0.01
)
AS
select species, body_mass_g, flipper_length_mm, sex from evaluation.penguins_split
where not is_test

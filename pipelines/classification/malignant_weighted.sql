-- The same model, taught that a malignant tumour counts as ten benign ones.
--
-- Class weights multiply the loss of a class's rows. They are a way to say that misses are dear.
-- TRANSFORM is left out: the penalty acts on standardised columns in any case.
-- Notice: they move the probabilities. A model that was told of ten times as many malignant tumours as there are
-- believes in them (steps evaluation and calibration_curves). Costs belong to the decision (step threshold_costs);
-- the three models after this one mend the probabilities.
CREATE OR REPLACE MODEL malignant_weighted
OPTIONS (
    model_type = 'logistic_reg',
    input_label_cols = ['diagnosis'],
    data_split_method = 'custom',
    data_split_col = 'is_calibration',
    class_weights = [('benign', 1.0), ('malignant', 10.0)],
    l2_reg = 1.0
)
AS
select * from classification.tumours_seen

-- Which errors does the model make on the test rows?
--
-- A tumour is called malignant at a probability of 0.5 or more. share_of_expected is recall, class by class;
-- share_of_predicted is precision.
-- Notice: the two kinds of error are not alike. One frightens, the other one kills; step threshold_costs weighs them.
-- The limit: one threshold. Another has another table.
select * from ml.confusion_table(
    '(
        select diagnosis, if(probability >= 5e-1, ''malignant'', ''benign'') as called
        from classification.tumour_scores
        where model = ''malignant'' and part = ''test''
    )',
    'diagnosis', 'called'
)

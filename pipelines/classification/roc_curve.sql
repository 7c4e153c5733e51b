-- What can be had at every threshold?
--
-- A row for each probability at which a tumour could be called malignant: which share of the malignant ones is
-- then found (true_positive_rate), and which share of the benign ones is called malignant (false_positive_rate).
-- Notice: the area under this curve is the chance that a malignant tumour scores above a benign one.
-- The limit: the curve does not know how rare the disease is. Where one in a thousand is ill, a false_positive_rate
-- of 0.02 means twenty false alarms for each true one.
select * from ml.roc_points(
    '(from classification.tumour_scores where model = ''malignant'' and part = ''test'')',
    'is_malignant', 'probability'
)
order by threshold desc

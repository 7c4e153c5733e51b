-- Platt's correction lowers the log loss of the weighted model, and keeps its order: the area is the same.
select weighted.log_loss, platt.log_loss as platt_log_loss, weighted.roc_auc, platt.roc_auc as platt_roc_auc
from classification.evaluation as weighted
join classification.evaluation as platt on platt.model = 'malignant_platt'
where weighted.model = 'malignant_weighted'
    and (platt.log_loss >= weighted.log_loss or abs(platt.roc_auc - weighted.roc_auc) > 1e-9)

-- Both models beat the constant by log loss, over all penguins and in every species.
select judged.method, judged.species, judged.log_loss, constant.log_loss as constant_log_loss
from evaluation.metrics as judged
left join evaluation.metrics as constant
    on constant.method = 'constant' and constant.species is not distinct from judged.species
where judged.method in ('by_bill', 'by_body') and not coalesce(judged.log_loss < constant.log_loss, false)

-- Which products go together? Rules of one product for another.
select antecedent[1] as bought, consequent[1] as also_bought, * exclude (antecedent, consequent)
from ml.association_rules('product_analytics.baskets', 'order_id', 'name', min_support := {{ min_support }}, min_confidence := 0.05, max_size := 2)
order by lift desc, bought

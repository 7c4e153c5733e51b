-- What have customers been worth by each month after their first purchase, refunds taken off?
select *
from ml.cohort_value('product_analytics.purchases', 'customer_id', 'moment', 'amount', period := 'quarter', until := '2026-01-01')

-- Recency, frequency and money of each customer, and the segment.
select * from ml.rfm('product_analytics.purchases', 'customer_id', 'moment', 'amount', as_of := '2026-01-01')

-- Sessions as an analyst has to find them: half an hour of silence ends one.
select * from ml.session_summary('product_analytics.events', 'customer_id', 'occurred_at', gap := '30 minutes')

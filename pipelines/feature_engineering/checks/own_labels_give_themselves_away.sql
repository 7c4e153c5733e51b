-- An encoding that has seen the row's own label looks better in training than it is; a cross-fitted one does not.
with

gaps as (
    select
        max(roc_auc) filter (method = 'aircraft, naive' and flights = 'training')
            - max(roc_auc) filter (method = 'aircraft, naive' and flights = 'held out') as naive,
        max(roc_auc) filter (method = 'aircraft, cross-fitted' and flights = 'training')
            - max(roc_auc) filter (method = 'aircraft, cross-fitted' and flights = 'held out') as cross_fitted,
    from feature_engineering.evaluation
)

select * from gaps
where not (naive > cross_fitted + 0.1)

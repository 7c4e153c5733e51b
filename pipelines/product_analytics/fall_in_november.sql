-- Fewer checkouts ended with a purchase in November 2025 than in the two months before. Where?
select
    contributors,
    metric_test as in_november,
    metric_control as before,
    difference,
    aumann_shapley_attribution,
    contribution,
from ml.contribution(
    '(select country, device, started_at >= date ''2025-11-01'' as is_november, has_purchased::integer as purchases, 1 as checkouts
        from product_analytics.checkouts where started_at >= date ''2025-09-01'' and started_at < date ''2025-12-01'')',
    ['country', 'device'], 'is_november', 'purchases', denominator := 'checkouts', min_apriori_support := 0.02
)
order by contribution desc

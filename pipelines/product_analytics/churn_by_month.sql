-- Of the customers who came in the month before a cut-off, who has churned? Labels for a churn model.
with

labelled as (
    select *
    from ml.churn_labels(
        'shop.sessions', 'customer_id', 'started_at',
        ['2024-07-01', '2024-10-01', '2025-01-01', '2025-04-01', '2025-07-01', '2025-10-01'],
        active_within := '30 days', horizon := '{{ churn_days }} days', until := '2026-01-01'
    )
)

select cutoff, count(*) as customers, avg(churned::integer) as churned, avg(n_in_window) as sessions_before
from labelled
group by cutoff
order by cutoff

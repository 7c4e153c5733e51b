-- What was planted and what was found, with its standard error: the audit of this chapter.
with

found as (
    select
        'churn_hazard_' || channel as name,
        hazard as found,
        standard_error,
    from product_analytics.churn
    where not is_subscriber
    union all
    select
        'checkout_rate_' || breakdown,
        users / first_users,
        sqrt(users * (first_users - users) / first_users) / first_users,
    from (select *, max(users) over (partition by breakdown) as first_users from product_analytics.funnel)
    where condition = 'checkout'
    union all
    select 'touch_factor_' || channel, ratio, standard_error
    from product_analytics.touch_effects
    union all
    select 'lift_checkout_button', lift, standard_error
    from product_analytics.experiment
    union all
    -- the rarest of the counts has most of the error of a lift
    select 'affinity_lift_' || replace(lower(bought || '_' || also_bought), ' ', '_'), lift, lift / sqrt(n_baskets)
    from product_analytics.rules
    union all
    select event || '_to_' || next_event, share, sqrt(share * (1 - share) / (n / share))
    from product_analytics.next_events
    where event in ('view', 'search', 'add_to_cart') and next_event is not null
),

recovered as (
    select
        name,
        value as planted,
        found,
        standard_error,
        -- nothing is known of how far a share of 0 or 1, or a ratio to 0, errs
        (found - planted) / case when standard_error > 0 and isfinite(standard_error) then standard_error end as z,
        meaning,
    from found
    join shop.truths using (name)
)

select * from recovered
order by abs(z) desc nulls last

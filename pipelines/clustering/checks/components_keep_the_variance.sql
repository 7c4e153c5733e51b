-- All components together hold the whole variance: 13 standardised measurements have a variance of 13. They come by size, and
-- on the map the wines are as spread out as the eigenvalues say.
with

totals as (
    select
        sum(eigenvalue) as total,
        max(cumulative_explained_variance_ratio) as share,
        max(eigenvalue) filter (component = 1) as first,
        max(eigenvalue) filter (component = 2) as second,
    from clustering.wine_variance
),

spread as (
    select
        var_samp(principal_component_1) as first_on_map,
        var_samp(principal_component_2) as second_on_map,
        covar_samp(principal_component_1, principal_component_2) as covariance,
    from clustering.wine_map
)

select * from totals
cross join spread
where not coalesce(
    abs(total - 13) < 1e-9 and abs(share - 1) < 1e-12 and first >= second
        and abs(first - first_on_map) < 1e-9 and abs(second - second_on_map) < 1e-9 and abs(covariance) < 1e-9,
    false
)

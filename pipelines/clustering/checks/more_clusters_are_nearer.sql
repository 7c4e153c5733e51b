-- The least mean squared distance falls with every further cluster; if it does not, a start ended in a bad valley.
with

steps as (
    select *, lag(mean_squared_distance) over (order by num_clusters) as with_one_less
    from clustering.wine_choice
)

select * from steps
where mean_squared_distance >= with_one_less

-- Silhouette, Davies and Bouldin, Calinski and Harabasz: each is best at three clusters of wine.
with

best as (
    select
        arg_max(num_clusters, silhouette) as by_silhouette,
        arg_min(num_clusters, davies_bouldin) as by_davies_bouldin,
        arg_max(num_clusters, calinski_harabasz) as by_calinski_harabasz,
    from clustering.wine_choice
)

select * from best
where by_silhouette <> 3 or by_davies_bouldin <> 3 or by_calinski_harabasz <> 3

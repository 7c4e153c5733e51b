-- Which cluster is each image in, by its pixels and by its components?
with

digit_assignments as (
    select 'digit_clusters' as model, image_id, digit, centroid_id as cluster
    from ml.predict('digit_clusters', 'digits')
    union all
    select 'digit_clusters_short', image_id, digit, centroid_id
    from ml.predict('digit_clusters_short', 'clustering.digits_short')
)

select * from digit_assignments
order by model, image_id

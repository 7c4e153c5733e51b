-- Which cluster is each image in?
select
    image_id,
    digit,
    centroid_id as cluster,
from ml.predict('digit_clusters', 'digits')
order by image_id

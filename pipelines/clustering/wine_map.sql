-- Where is each wine on a map of the first two components?
--
-- Notice: the cultivars lie side by side along the first component, and the second parts Grignolino from the others. The
-- clusters, found in all thirteen dimensions, are visible in two.
-- The limit: the map keeps little more than half of the variance. What looks near need not be.
select
    wine_id,
    cultivar,
    cluster,
    principal_component_1,
    principal_component_2,
from ml.predict('wine_components', 'wine', keep_original_columns := true) as placed
join clustering.wine_clusters using (wine_id, cultivar)
where model = 'wine_3'
order by wine_id

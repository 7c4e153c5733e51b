-- What makes a cluster?
--
-- The measurements in which a center of k-means is farthest from the mean of all wines, in standard deviations.
-- Notice: one group has little alcohol and colour (Grignolino, as step wine_table knows), one much proline and many flavonoids
-- (Barolo), one few flavonoids and little hue (Barbera).
-- The limit: a center is a mean. Nothing here says how the wines of a cluster differ from one another.
select
    centroid_id as cluster,
    feature,
    numerical_value as standard_deviations_from_mean,
from ml.centroids('wine_3')
qualify row_number() over (partition by centroid_id order by abs(numerical_value) desc) <= 4
order by centroid_id, abs(numerical_value) desc

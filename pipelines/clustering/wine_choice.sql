-- How many groups are there?
--
-- mean_squared_distance, of a wine to its center, falls with every further cluster and cannot tell. silhouette asks each wine how
-- much nearer it is to its own cluster than to the next one (1 is best); Davies and Bouldin's index compares the widths of clusters
-- with their distances (less is better); Calinski and Harabasz's the variance between with that within (more is better).
-- Notice: all three prefer three groups, the number of cultivars, which none of them knows.
-- The limit: that they agree is luck. Where groups overlap they often do not, and then there is no right number.
{% set features = "['alcohol_percent', 'malic_acid_g_per_l', 'ash_g_per_l', 'ash_alkalinity_meq_per_l', 'magnesium_mg_per_l', 'total_phenols', 'flavonoids', 'nonflavonoid_phenols', 'proanthocyanins', 'colour_intensity', 'hue', 'od280_od315', 'proline_mg_per_l']" %}
{% set source = "(from clustering.wine_clusters join clustering.wines using (wine_id) where model = ''wine_%s'')" %}
with

wine_choice as (
    {% for k in [2, 3, 4, 5] %}
    select
        {{ k }} as num_clusters,
        evaluated.mean_squared_distance,
        silhouettes.silhouette,
        davies.davies_bouldin_index as davies_bouldin,
        calinski.calinski_harabasz_index as calinski_harabasz,
    from ml.evaluate('wine_{{ k }}', 'clustering.wines') as evaluated
    cross join ml.silhouette('{{ source % k }}', {{ features }}, 'cluster') as silhouettes
    cross join ml.davies_bouldin('{{ source % k }}', {{ features }}, 'cluster') as davies
    cross join ml.calinski_harabasz('{{ source % k }}', {{ features }}, 'cluster') as calinski
    where silhouettes.cluster is null
    {{ "union all" if not loop.last }}
    {% endfor %}
)

select * from wine_choice
order by num_clusters

-- Which cultivars are in which cluster?
--
-- Of the three clusters of k-means and of the three components of the mixture.
-- Notice: numbers of clusters mean nothing but their size. What matters is that a cultivar has one of its own; Grignolino loses a
-- few of its wines to the others.
select model, cluster, cultivar, count(*) as n
from clustering.wine_clusters
where model in ('wine_3', 'wine_mixture')
group by all
order by all

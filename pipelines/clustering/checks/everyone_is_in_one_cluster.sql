-- Every wine is in one cluster of each model, every image in one, and no cluster is empty.
select model, count(*) as n, count(distinct cluster) as clusters from clustering.wine_clusters
group by model
having count(*) <> (select count(*) from wine)
    or count(distinct wine_id) <> count(*)
    or count(cluster) <> count(*)
    or count(distinct cluster) <> coalesce(try_cast(right(model, 1) as bigint), 3)
union all
select model, count(*), count(distinct cluster) from clustering.digit_assignments
group by model
having count(cluster) <> (select count(*) from digits) or count(distinct cluster) <> 10

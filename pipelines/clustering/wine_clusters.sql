-- Which cluster is each wine in, by each model?
with

wine_clusters as (
    {% for model in ["wine_2", "wine_3", "wine_4", "wine_5"] %}
    select '{{ model }}' as model, wine_id, cultivar, centroid_id as cluster
    from ml.predict('{{ model }}', 'clustering.wines')
    union all
    {% endfor %}
    select 'wine_raw', wine_id, cultivar, centroid_id
    from ml.predict('wine_raw', 'wine')
    union all
    select 'wine_mixture', wine_id, cultivar, component
    from ml.predict('wine_mixture', 'clustering.wines')
)

select * from wine_clusters
order by model, wine_id

-- Do the clusters agree with the true groups?
--
-- adjusted_rand: of all pairs of rows, how often clusters and classes agree whether the two belong together, beyond chance; 1 is
-- perfect, 0 is chance. normalized_mutual_information: how much of the class is known when the cluster is, a share.
-- Notice: three clusters of the standardised wines are nearly the cultivars, and those of the mixture nearer still; in raw units
-- they are groups of proline. Splitting a true group (wine_4, wine_5) costs less than mixing two (wine_2).
-- The limit: where there are no true groups to compare with, none of this can be known.
with

agreement as (
    {% for model in ["wine_2", "wine_3", "wine_4", "wine_5", "wine_raw", "wine_mixture"] %}
    select '{{ model }}' as model, adjusted_rand, normalized_mutual_information, rand.n
    from ml.adjusted_rand('(from clustering.wine_clusters where model = ''{{ model }}'')', 'cultivar', 'cluster') as rand
    cross join ml.normalized_mutual_information(
        '(from clustering.wine_clusters where model = ''{{ model }}'')', 'cultivar', 'cluster'
    )
    union all
    {% endfor %}
    {% for model in ["digit_clusters", "digit_clusters_short"] %}
    select '{{ model }}', adjusted_rand, normalized_mutual_information, rand.n
    from ml.adjusted_rand('(from clustering.digit_assignments where model = ''{{ model }}'')', 'digit', 'cluster') as rand
    cross join ml.normalized_mutual_information(
        '(from clustering.digit_assignments where model = ''{{ model }}'')', 'digit', 'cluster'
    )
    {{ "union all" if not loop.last }}
    {% endfor %}
)

select * from agreement
order by model

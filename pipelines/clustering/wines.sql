-- The wines by their chemistry, each measurement less its mean, per standard deviation. The cultivar is kept, for judging only.
--
-- Notice: no cluster is ever told the cultivar.
-- The limit: a distance adds up measurements, and standardising says that all of them matter alike. That is a choice.
select
    wine_id,
    cultivar,
    {% for name in ["alcohol_percent", "malic_acid_g_per_l", "ash_g_per_l", "ash_alkalinity_meq_per_l", "magnesium_mg_per_l", "total_phenols", "flavonoids", "nonflavonoid_phenols", "proanthocyanins", "colour_intensity", "hue", "od280_od315", "proline_mg_per_l"] %}
    ({{ name }} - avg({{ name }}) over ()) / stddev_samp({{ name }}) over () as {{ name }},
    {% endfor %}
from wine
order by wine_id

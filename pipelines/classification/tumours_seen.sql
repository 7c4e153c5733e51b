-- materialize: view
-- What the models of tumours see: ten measurements of the three greatest nuclei, the diagnosis, and which rows
-- are kept from training. The test rows are not in it.
select
    radius_worst,
    texture_worst,
    perimeter_worst,
    area_worst,
    smoothness_worst,
    compactness_worst,
    concavity_worst,
    concave_points_worst,
    symmetry_worst,
    fractal_dimension_worst,
    part = 'calibration' as is_calibration,
    diagnosis,
from classification.tumours
where part <> 'test'

-- Three groups of wine by the measurements as they are, in their units.
--
-- Notice: proline is counted in hundreds of milligrams and hue in tenths. The distance is that of proline alone, and
-- so are the groups (step agreement).
CREATE OR REPLACE MODEL wine_raw
OPTIONS (
    model_type = 'kmeans',
    num_clusters = 3,
    kmeans_init_method = 'kmeans++',
    standardize_features = FALSE,
    num_init = 10
)
AS
select * exclude (wine_id, cultivar) from wine

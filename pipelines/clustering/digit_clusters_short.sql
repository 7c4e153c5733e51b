-- Ten groups of digits again, by twenty components in place of 64 pixels.
--
-- Notice: what the components leave out is mostly noise, and the groups are about the same (step agreement).
CREATE OR REPLACE MODEL digit_clusters_short
OPTIONS (
    model_type = 'kmeans',
    num_clusters = 10,
    kmeans_init_method = 'kmeans++',
    standardize_features = FALSE,
    num_init = 4
)
AS
select * exclude (image_id, digit) from clustering.digits_short

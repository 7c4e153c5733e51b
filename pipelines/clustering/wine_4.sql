-- Four groups of wine, to be compared with three (step wine_choice).
CREATE OR REPLACE MODEL wine_4
OPTIONS (
    model_type = 'kmeans',
    num_clusters = 4,
    kmeans_init_method = 'kmeans++',
    standardize_features = FALSE,
    num_init = 10
)
AS
select * exclude (wine_id, cultivar) from clustering.wines

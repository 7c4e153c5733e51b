-- Two groups of wine, to be compared with three (step wine_choice).
CREATE OR REPLACE MODEL wine_2
OPTIONS (
    model_type = 'kmeans',
    num_clusters = 2,
    kmeans_init_method = 'kmeans++',
    standardize_features = FALSE,
    num_init = 10
)
AS
select * exclude (wine_id, cultivar) from clustering.wines

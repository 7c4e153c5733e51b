-- Three groups of wine.
--
-- k-means: choose three centers so that the sum of squared distances to the nearest one is least. Several starts are
-- tried, for each ends in the nearest valley.
-- Notice: standardize_features is false, for the measurements are standardised already.
-- The limit: round groups of similar size are what k-means looks for, and it finds them whether there are any or not.
CREATE OR REPLACE MODEL wine_3
OPTIONS (
    model_type = 'kmeans',
    num_clusters = 3,
    kmeans_init_method = 'kmeans++',
    standardize_features = FALSE,
    num_init = 10
)
AS
select * exclude (wine_id, cultivar) from clustering.wines

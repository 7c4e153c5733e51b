-- How many numbers does it take to tell one wine from another?
--
-- Principal components: the directions in which the wines differ most, each at right angles to those before.
-- Notice: scale_features is true, which standardises here too. Three of thirteen components hold two thirds of the variance.
-- The limit: variance is not importance. A direction in which all wines differ a little may be the one that matters.
CREATE OR REPLACE MODEL wine_components
OPTIONS (model_type = 'pca', num_principal_components = 13)
AS
select * exclude (wine_id, cultivar) from wine

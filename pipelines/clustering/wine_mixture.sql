-- Three groups of wine of any width and tilt, the same for all three: a Gaussian mixture.
--
-- Notice: rows belong to components in shares, and the model says how sure it is. Thirteen measurements have 91 variances
-- and covariances; one matrix for each component would be 273 numbers from 178 wines, hence a tied one.
-- The limit: like k-means it ends in the nearest valley; several starts are tried.
CREATE OR REPLACE MODEL wine_mixture
OPTIONS (
    model_type = 'gaussian_mixture',
    num_components = 3,
    covariance_type = 'tied',
    num_init = 3
)
AS
select * exclude (wine_id, cultivar) from clustering.wines

-- Twenty numbers in place of 64 pixels.
--
-- Notice: pixels share one unit and are not scaled.
-- The limit: components are sums of pixels. A digit that is moved by a pixel is another image to them too.
CREATE OR REPLACE MODEL digit_components
OPTIONS (model_type = 'pca', num_principal_components = 20, scale_features = FALSE)
AS
select * exclude (image_id, digit) from digits

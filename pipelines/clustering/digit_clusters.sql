-- Ten groups of handwritten digits, by 64 pixels.
--
-- Notice: pixels share one unit, ink, and are not standardised: that would make the corners, which hardly ever hold
-- ink, as loud as the middle.
-- The limit: the distance of two images compares pixel by pixel. A digit moved by one pixel is another image.
CREATE OR REPLACE MODEL digit_clusters
OPTIONS (
    model_type = 'kmeans',
    num_clusters = 10,
    kmeans_init_method = 'kmeans++',
    standardize_features = FALSE,
    num_init = 4
)
AS
select * exclude (image_id, digit) from digits

-- How many stars would a viewer give a film? Three factors, for the data were made with three;
-- the penalty is the best one for October 2024 when learnt from the ratings before.
CREATE OR REPLACE MODEL film_stars
OPTIONS (
    model_type = 'matrix_factorization',
    user_col = 'viewer_id',
    item_col = 'film_id',
    rating_col = 'stars',
    num_factors = 3,
    l2_reg = 1,
    max_iterations = 50,
    min_rel_progress = 0.0001
)
AS
select * from recommender.training

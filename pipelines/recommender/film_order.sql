-- Which of two films would a viewer rather watch? Learnt from pairs of a film that they rated and one
-- that they did not. The options are the best ones for October 2024.
CREATE OR REPLACE MODEL film_order
OPTIONS (
    model_type = 'matrix_factorization',
    feedback_type = 'bpr',
    user_col = 'viewer_id',
    item_col = 'film_id',
    num_factors = 8,
    l2_reg = 0.1,
    max_iterations = 60
)
AS
select viewer_id, film_id from recommender.training

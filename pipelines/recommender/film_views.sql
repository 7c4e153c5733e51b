-- Which films would a viewer watch? A rating says that they did, more stars say it louder. The options
-- are the best ones for October 2024.
CREATE OR REPLACE MODEL film_views
OPTIONS (
    model_type = 'matrix_factorization',
    feedback_type = 'implicit',
    user_col = 'viewer_id',
    item_col = 'film_id',
    rating_col = 'stars',
    num_factors = 4,
    wals_alpha = 1,
    l2_reg = 20,
    max_iterations = 50,
    min_rel_progress = 0.001
)
AS
select * from recommender.training

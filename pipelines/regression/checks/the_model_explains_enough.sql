-- The plain model explains at least min_r2 of the variance of the test rows.
select model, r2_score from regression.evaluation
where model = 'body_mass' and part = 'test' and not coalesce(r2_score >= {{ min_r2 }}, false)

-- Every weight lies in its interval, every error is positive, and no variance is deflated.
select * from regression.weights
where not coalesce(weight between ci_lower and ci_upper and robust_error > 0 and p_value between 0 and 1, false)
    or variance_inflation < 1

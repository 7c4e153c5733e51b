-- On training rows the mean error is zero, more features never hurt, and a penalty never helps: it is the sum of squares
-- that least squares makes least.
with

training as (
    select
        max(root_mean_squared_error) filter (model = 'body_mass') as plain,
        max(root_mean_squared_error) filter (model = 'body_mass_wide') as wide,
        max(root_mean_squared_error) filter (model = 'body_mass_penalised') as penalised,
        max(abs(mean_error)) filter (model <> 'body_mass_penalised') as mean_error,
    from regression.evaluation
    where part = 'training'
)

select * from training
where wide > plain or wide > penalised or mean_error > 1e-6
    or plain is null or wide is null or penalised is null or mean_error is null

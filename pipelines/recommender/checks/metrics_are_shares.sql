-- Every ranking metric lies between 0 and 1.
with

metrics as (
    unpivot recommender.evaluation
    on columns(* exclude (method, viewers))
    into name metric value share
)

select * from metrics
where not (share between 0 and 1)

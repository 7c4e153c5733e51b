-- The report names the state of the carrier as leaking when it is joined on the key alone.
select feature from feature_engineering.leaks
where not is_leaking

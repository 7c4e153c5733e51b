-- No threshold costs less on the test rows than the one that was chosen on them.
select * from classification.threshold_costs
where total_cost < (select total_cost from classification.threshold_costs where rule = 'least cost in hindsight')

-- A check returns the rows that break a rule; any row fails the run.
select * from __pipeline__.judged
where predicted_sex is null

-- The coverage of every kind of interval lies in its band.
select * from regression.interval_coverage
where not coalesce(coverage between lowest and highest, false)

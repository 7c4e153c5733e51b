-- No estimate is further than four standard errors from what was planted: of some thirty, none should be.
select * from product_analytics.recovered
where abs(z) > 4 or z is null

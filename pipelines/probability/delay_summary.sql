-- What do the delays of arrivals look like?
--
-- One row of description.
-- Notice: the mean is 7 minutes late and the median 5 minutes early: a few very late flights pull
-- the mean. The skewness of 3.7 and the excess kurtosis of 29 say the same. This is the population
-- that the last steps draw from.
select * from ml.describe_column('probability.departures', 'arrival_delay')

-- Which share of the aircraft comes back to New York, by weeks since it was first seen?
select *
from ml.retention(
    '(select tailnum, time_hour at time zone ''UTC'' as departs_at from nycflights13.flights where dep_time is not null)',
    'tailnum', 'departs_at', period := 'week', periods := 12, complete := true
)

-- Aircraft month by month: first seen, back again, back after a pause, and away.
select *
from ml.lifecycle(
    '(select tailnum, time_hour at time zone ''UTC'' as departs_at from nycflights13.flights where dep_time is not null)',
    'tailnum', 'departs_at', period := 'month'
)

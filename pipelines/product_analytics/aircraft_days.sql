-- Flights as events: an aircraft is a user, and its departures from New York until six hours without one are a session.
select *
from ml.session_summary(
    '(select tailnum, time_hour at time zone ''UTC'' + to_minutes(minute) as departs_at from nycflights13.flights where dep_time is not null)',
    'tailnum', 'departs_at', gap := '6 hours'
)

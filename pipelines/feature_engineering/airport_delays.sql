-- The same by airport.
{% import "recent_delays.j2" as t %}
{{ t.recent_delays("origin", "airport") }}

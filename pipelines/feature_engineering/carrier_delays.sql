-- How late each carrier left in the hours up to each of its departures: from then on it is known.
{% import "recent_delays.j2" as t %}
{{ t.recent_delays("carrier", "carrier") }}

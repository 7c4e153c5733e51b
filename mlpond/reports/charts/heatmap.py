"""Values of pairs, as shades: a table that is seen at a glance."""

from __future__ import annotations

import altair as alt

from mlpond.reports.charts.chart import Column, Drawing, Row, Source, ident
from mlpond.reports.charts.theme import FIRST, data, layered

CELL = 34
WRITTEN = 8
"""Values are written into the cells up to this many columns."""


def heatmap(source: Source, x: Column, y: Column, value: Column) -> Drawing:
    """A cell for each pair of x and y, the darker the greater the value."""
    rows = source.rows(
        f"""
        select
            coalesce({ident(x)}::varchar, '—') as x,
            coalesce({ident(y)}::varchar, '—') as y,
            {ident(value)}::double as value,
        from {source.relation}
        where {ident(value)} is not null
        limit 2500
        """
    )
    for row in rows:
        row["text"] = f"{row['value']:.2g}" if abs(row["value"]) < 100 else f"{row['value']:,.0f}"
        row["shade"] = row["value"]
    if not rows:
        return Drawing(cells(rows, x, y), f"{value} by {y} and {x}: there are no values.")
    lowest = min(rows, key=lambda row: row["value"])
    highest = max(rows, key=lambda row: row["value"])
    summary = (
        f"{value} by {y} and {x}: from {lowest['text']} ({lowest['y']}, {lowest['x']}) "
        f"to {highest['text']} ({highest['y']}, {highest['x']})."
    )
    return Drawing(cells(rows, x, y), summary)


def cells(rows: list[Row], x: str, y: str) -> alt.LayerChart:
    """Cells with rows' x and y, shaded by ``shade``, with ``text`` in them if they are few."""
    across = list(dict.fromkeys(row["x"] for row in rows))
    down = list(dict.fromkeys(row["y"] for row in rows))
    level = alt.Axis(labelAngle=0 if len(across) < 7 else -45)
    base = alt.Chart(data(rows)).encode(
        x=alt.X("x:N", title=x, sort=across, axis=level),
        y=alt.Y("y:N", title=y, sort=down),
    )
    # opacity, not a ramp of colours: it suits a light page and a dark one
    shade = alt.Opacity("shade:Q", scale=alt.Scale(range=[0.06, 0.85]), legend=None)
    layers: list[alt.Chart] = [base.mark_rect(color=FIRST).encode(opacity=shade)]
    if len(across) <= WRITTEN:
        layers.append(base.mark_text().encode(text="text:N"))
    height = min(600, max(CELL * len(down), 2 * CELL) + 80)
    return layered(*layers).properties(height=height)

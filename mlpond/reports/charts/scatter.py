"""Points of two columns."""

from __future__ import annotations

import altair as alt

from mlpond.reports.charts.chart import Column, Drawing, Source, ident
from mlpond.reports.charts.theme import FIRST, colors, data
from mlpond.reports.words import show


def scatter(
    source: Source, x: Column, y: Column, *, by: Column | None = None, limit: int = 500
) -> Drawing:
    """A point a row; of more than ``limit`` rows some, chosen by the hash of their values."""
    series = f"coalesce({ident(by)}::varchar, '—')" if by else "''"
    is_there = f"{ident(x)} is not null and {ident(y)} is not null"
    rows = source.rows(
        f"""
        select {ident(x)} as x, {ident(y)} as y, {series} as series
        from {source.relation}
        where {is_there}
        order by hash({ident(x)}, {ident(y)})
        limit {limit}
        """
    )
    both = source.kind(x) == source.kind(y) == "quantitative"
    r = f"corr({ident(x)}, {ident(y)})" if both else "null"
    facts = source.row(f"select count(*) as n, {r} as r from {source.relation} where {is_there}")
    names = sorted({row["series"] for row in rows})
    letter = {"quantitative": "Q", "temporal": "T", "nominal": "N"}
    chart = (
        alt.Chart(data(rows))
        .mark_point(fillOpacity=0.6, size=24)
        .encode(
            x=alt.X(f"x:{letter[source.kind(x)]}", title=x, scale=_scale(source, x)),
            y=alt.Y(f"y:{letter[source.kind(y)]}", title=y, scale=_scale(source, y)),
            color=alt.Color("series:N", scale=colors(names)) if by else alt.value(FIRST),
        )
    )
    n = facts["n"]
    shown = f"{len(rows):,} of {n:,} rows" if n > len(rows) else f"{n:,} rows"
    text = f"{y} against {x}, {shown}"
    text += "" if facts["r"] is None else f"; r = {show(facts['r'])}"
    return Drawing(chart, f"{text}.")


def _scale(source: Source, column: Column) -> alt.Scale | alt.utils.schemapi.UndefinedType:
    kind = source.kind(column)
    if kind == "temporal":
        return alt.Scale(type="utc")
    return alt.Scale(zero=False) if kind == "quantitative" else alt.Undefined

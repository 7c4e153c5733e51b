"""A line for each series, with a band where bounds are given."""

from __future__ import annotations

from typing import Any

import altair as alt

from mlpond.reports.charts.chart import Column, Columns, Drawing, Row, Source, ident
from mlpond.reports.charts.theme import FIRST, QUIET, SERIES, colors, data, layered
from mlpond.reports.words import listing, show
from mlpond.sql.templates.quoting import string

POINTS = 400
"""Points of a series; of a longer one every so-many-th."""


def line(
    source: Source,
    x: Column,
    y: Columns,
    *,
    by: Column | None = None,
    lower: Column | None = None,
    upper: Column | None = None,
    reference: float | None = None,
    log_x: bool = False,
    log_y: bool = False,
) -> Drawing:
    """A line of y over x: a series for each column of y, or for each value of ``by``."""
    rows = [row for row in _rows(source, x, y, by, lower, upper) if not _below(row, log_x, log_y)]
    names = list(dict.fromkeys(row["series"] for row in rows))
    shown = names[: len(SERIES)]
    rows = [row for row in rows if row["series"] in shown]
    y_title = y[0] if len(y) == 1 else None
    color = alt.Color("series:N", scale=colors(shown)) if len(names) > 1 else alt.value(FIRST)
    base = alt.Chart(data(rows)).encode(x=_x(source, x, log_x), color=color)
    vertical = alt.Y("y:Q", title=y_title, scale=_scale(log_y))
    layers: list[Any] = []
    if lower and upper:
        layers.append(
            base.mark_area(opacity=0.2).encode(y=alt.Y("lower:Q", title=y_title), y2="upper:Q")
        )
    if reference is not None:
        rule = alt.Chart(data([{"at": reference}])).mark_rule(color=QUIET, strokeDash=[4, 3])
        layers.append(rule.encode(y="at:Q"))
    is_short = len(rows) <= 30 * max(1, len(shown))
    layers.append(base.mark_line(point=is_short).encode(y=vertical))
    return Drawing(layered(*layers), _summary(rows, x, listing(list(y)), shown, len(names)))


def _rows(
    source: Source,
    x: Column,
    y: Columns,
    by: Column | None,
    lower: Column | None,
    upper: Column | None,
) -> list[Row]:
    """Points in the order of x; the series in that of the columns, or of their first row."""
    series = f"coalesce({ident(by)}::varchar, '—')" if by else "null"
    parts = " union all ".join(
        f"""
        select {place} as place, {ident(x)} as x, {ident(name)} as y,
            {series if by and len(y) == 1 else _quoted(name, series if by else None)} as series,
            {ident(lower) if lower else "null"} as lower,
            {ident(upper) if upper else "null"} as upper,
        from source
        """
        for place, name in enumerate(y)
    )
    return source.rows(
        f"""
        with source as (from {source.relation}),
        points as (select * from ({parts}) where x is not null and y is not null),
        counted as (
            select
                *,
                row_number() over (partition by place, series order by x) as number,
                count(*) over (partition by place, series) as n,
            from points
        )
        select x, y, series, lower, upper
        from counted
        where (number - 1) % (1 + (n - 1) // {POINTS}) = 0 or number = n
        order by place, series, x
        """
    )


def _quoted(name: str, series: str | None) -> str:
    return string(name) if series is None else f"{series} || ': ' || {string(name)}"


def _below(row: Row, log_x: bool, log_y: bool) -> bool:
    """A logarithm has no place for zero and below."""
    return (log_x and not row["x"] > 0) or (log_y and not row["y"] > 0)


def _scale(log: bool) -> alt.Scale:
    return alt.Scale(type="log") if log else alt.Scale(zero=False)


def _x(source: Source, x: Column, log: bool) -> alt.X:
    kind = source.kind(x)
    if kind == "temporal":
        return alt.X("x:T", title=x, scale=alt.Scale(type="utc"))
    if kind == "nominal":
        return alt.X("x:O", title=x, sort=None)
    return alt.X("x:Q", title=x, scale=alt.Scale(type="log", nice=False) if log else
                 alt.Scale(zero=False, nice=False))  # fmt: skip


def _summary(rows: list[Row], x: str, y: str, shown: list[str], n_series: int) -> str:
    if not rows:
        return f"{y} over {x}: there are no points."
    if n_series == 1:
        first, last = rows[0], rows[-1]
        values = [row["y"] for row in rows]
        return (
            f"{y} over {x}: {show(first['y'])} at {show(first['x'])}, {show(last['y'])} at "
            f"{show(last['x'])}, between {show(min(values))} and {show(max(values))}."
        )
    ends = {row["series"]: row["y"] for row in rows}
    text = f"{y} over {x}, at the end: {listing([f'{name} {show(ends[name])}' for name in shown])}."
    left_out = n_series - len(shown)
    return text + (f" {left_out} more series are not drawn." if left_out else "")

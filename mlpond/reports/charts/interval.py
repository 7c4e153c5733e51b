"""Estimates with their intervals, one below the other."""

from __future__ import annotations

import altair as alt

from mlpond.reports.charts.chart import Column, Drawing, Source, ident
from mlpond.reports.charts.theme import FIRST, QUIET, colors, data, layered, rows_height
from mlpond.reports.words import show


def interval(
    source: Source,
    label: Column,
    estimate: Column,
    lower: Column,
    upper: Column,
    *,
    by: Column | None = None,
    reference: float | None = None,
    limit: int = 30,
) -> Drawing:
    """A dot and its interval for each row, in the order of the table; a line at ``reference``."""
    rows = source.rows(
        f"""
        select
            coalesce({ident(label)}::varchar, '—') as label,
            {f"coalesce({ident(by)}::varchar, '—')" if by else "''"} as series,
            {ident(estimate)}::double as estimate,
            {ident(lower)}::double as lower,
            {ident(upper)}::double as upper,
        from {source.relation}
        where {ident(estimate)} is not null
        limit {limit + 1}
        """
    )
    is_cut = len(rows) > limit
    rows = rows[:limit]
    labels = list(dict.fromkeys(row["label"] for row in rows))
    series = list(dict.fromkeys(row["series"] for row in rows))
    vertical = alt.Y("label:N", title=None, sort=labels)
    base = alt.Chart(data(rows)).encode(
        y=vertical, color=alt.Color("series:N", scale=colors(series)) if by else alt.value(FIRST)
    )
    if by:
        base = base.encode(yOffset=alt.YOffset("series:N", sort=series))
    scale = alt.Scale(zero=False)
    layers = [
        base.mark_rule(strokeWidth=2).encode(
            x=alt.X("lower:Q", title=estimate, scale=scale), x2="upper:Q"
        ),
        base.mark_point(size=50).encode(x=alt.X("estimate:Q", scale=scale)),
    ]
    if reference is not None:
        rule = alt.Chart(data([{"at": reference}])).mark_rule(color=QUIET, strokeDash=[4, 3])
        layers.insert(0, rule.encode(x="at:Q"))
    n_rows = len(labels) * (len(series) if by else 1)
    chart = layered(*layers).properties(height=rows_height(n_rows))
    return Drawing(chart, _summary(rows, label, estimate, reference, is_cut))


def _summary(
    rows: list[dict[str, float]], label: str, estimate: str, reference: float | None, is_cut: bool
) -> str:
    if not rows:
        return f"{estimate} by {label}: there are no estimates."
    lowest = min(rows, key=lambda row: row["estimate"])
    highest = max(rows, key=lambda row: row["estimate"])
    text = f"{estimate} by {label}{' (first rows)' if is_cut else ''}: "
    text += f"{show(lowest['estimate'])} ({lowest['label']})"
    if highest is not lowest:
        text += f" to {show(highest['estimate'])} ({highest['label']})"
    if reference is not None:
        both = [row for row in rows if row["lower"] is not None and row["upper"] is not None]
        bounded = [row for row in both if row["lower"] < row["upper"]]
        held = sum(row["lower"] <= reference <= row["upper"] for row in bounded)
        if bounded:
            text += f"; {held} of {len(bounded)} intervals hold {show(reference)}"
    return text + "."

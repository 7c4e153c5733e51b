"""Horizontal bars: their labels are read without turning the head, however long they are."""

from __future__ import annotations

import altair as alt

from mlpond.reports.charts.chart import Column, Drawing, Source, ident
from mlpond.reports.charts.theme import FIRST, colors, data, rows_height
from mlpond.reports.words import show


def bar(
    source: Source,
    label: Column,
    value: Column,
    *,
    by: Column | None = None,
    sort: bool = True,
    limit: int = 20,
) -> Drawing:
    """A bar for each label, the longest first; with sort = false in the order of the table."""
    rows = source.rows(
        f"""
        with source as (from {source.relation}),
        numbered as (
            select
                coalesce({ident(label)}::varchar, '—') as label,
                {ident(value)} as value,
                {f"coalesce({ident(by)}::varchar, '—')" if by else "''"} as series,
                row_number() over () as place,
            from source
        ),
        ranked as (
            select *, {"-max(value)" if sort else "min(place)"} over (partition by label) as rank
            from numbered
            where value is not null
        )
        select * from ranked
        qualify dense_rank() over (order by rank, label) <= {limit}
        order by rank, label, place
        """
    )
    n_labels = source.row(f"select count(distinct {ident(label)}) as n from {source.relation}")["n"]
    labels = list(dict.fromkeys(row["label"] for row in rows))
    series = list(dict.fromkeys(row["series"] for row in rows))
    chart = (
        alt.Chart(data(rows))
        .mark_bar()
        .encode(
            x=alt.X("value:Q", title=value),
            y=alt.Y("label:N", title=None, sort=labels),
            color=alt.Color("series:N", scale=colors(series)) if by else alt.value(FIRST),
        )
        .properties(height=rows_height(len(labels) * (len(series) if by else 1)))
    )
    if by:
        chart = chart.encode(yOffset=alt.YOffset("series:N", sort=series))
    return Drawing(chart, _summary(rows, label, value, n_labels, len(labels)))


def _summary(
    rows: list[dict[str, object]], label: str, value: str, n_labels: int, n_shown: int
) -> str:
    if not rows:
        return f"{value} by {label}: there are no values."

    def text(row: dict[str, object]) -> str:
        return f"{show(row['value'])} of {row['label']}{_of(row)}"

    def key(row: dict[str, object]) -> float:
        return float(row["value"])  # type: ignore[arg-type]

    highest, lowest = max(rows, key=key), min(rows, key=key)
    part = f" (first {n_shown} of {n_labels})" if n_shown < n_labels else ""
    if len(rows) == 1:
        return f"{value} by {label}: {text(highest)}."
    return f"{value} by {label}{part}: from {text(lowest)} to {text(highest)}."


def _of(row: dict[str, object]) -> str:
    return f" ({row['series']})" if row["series"] else ""

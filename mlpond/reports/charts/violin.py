"""Distributions side by side, by their outlines."""

from __future__ import annotations

import json

import altair as alt

from mlpond.reports.charts.chart import Column, Drawing, Row, Source, ident
from mlpond.reports.charts.theme import FIRST, data, layered
from mlpond.reports.words import show

BINS = 40


def violin(source: Source, label: Column, value: Column, *, limit: int = 8) -> Drawing:
    """For each label the share of its rows in bins of one width, drawn to both sides of a line.

    The bins reach from the 0.5 % to the 99.5 % quantile of all rows.
    """
    binned = source.rows(
        f"""
        with measured as (
            select coalesce({ident(label)}::varchar, '—') as label, {ident(value)}::double as y
            from {source.relation}
            where isfinite({ident(value)}::double)
        ),
        bounds as (
            select quantile_cont(y, 5e-3) as low, quantile_cont(y, 0.995) as high from measured
        ),
        labels as (
            select label, quantile_cont(y, 0.5) as median
            from measured
            group by label
            order by median desc, label
            limit {limit}
        )
        select label, median, any_value(low) as low, any_value(high) as high, count(*) as n,
            least(floor(coalesce((y - low) / nullif(high - low, 0), 0.5) * {BINS}), {BINS - 1})
                as bin,
        from measured
        join labels using (label)
        cross join bounds
        where y between low and high
        group by label, median, bin
        order by median desc, label, bin
        """
    )
    labels = list(dict.fromkeys(row["label"] for row in binned))
    chart = _outlines(binned, labels, value)
    if not binned:
        return Drawing(chart, f"{value} by {label}: there are no values.")
    medians = {row["label"]: row["median"] for row in binned}
    return Drawing(
        chart,
        f"{value} by {label}: medians from {show(medians[labels[-1]])} ({labels[-1]}) "
        f"to {show(medians[labels[0]])} ({labels[0]}).",
    )


def _outlines(binned: list[Row], labels: list[str], value: str) -> alt.LayerChart:
    """Label i has its line at height -i, and the fullest bin of all is 0.45 high."""
    counts = {(row["label"], int(row["bin"])): row["n"] for row in binned}
    totals = {name: sum(row["n"] for row in binned if row["label"] == name) for name in labels}
    highest = max((n / totals[name] for (name, _), n in counts.items()), default=1)
    rows = []
    for place, name in enumerate(labels):
        low, high = binned[0]["low"], binned[0]["high"]
        for index in range(BINS):
            half = 0.45 * counts.get((name, index), 0) / totals[name] / highest
            rows.append({"label": name, "x": low + (index + 0.5) * (high - low) / BINS,
                         "top": half - place, "bottom": -half - place})  # fmt: skip
    names = "[" + ", ".join(_script(name) for name in labels) + "]"
    axis = alt.Axis(values=[-i for i in range(len(labels))], labelExpr=f"{names}[-datum.value]",
                    grid=False)  # fmt: skip
    outline = (
        alt.Chart(data(rows))
        .mark_area(color=FIRST, opacity=0.8, interpolate="monotone")
        .encode(
            x=alt.X("x:Q", title=value, scale=alt.Scale(zero=False, nice=False)),
            y=alt.Y("top:Q", title=None, axis=axis, scale=alt.Scale(
                domain=[0.55 - len(labels), 0.55], nice=False, zero=False)),
            y2="bottom:Q",
            detail="label:N",
        )
    )  # fmt: skip
    medians = [
        {"x": next(row["median"] for row in binned if row["label"] == name), "y": -place}
        for place, name in enumerate(labels)
    ]
    points = alt.Chart(data(medians)).mark_point(color="currentColor", size=40)
    return layered(outline, points.encode(x="x:Q", y="y:Q")).properties(
        height=max(120, 60 + 56 * len(labels))
    )


def _script(text: str) -> str:
    """The text as a string of Vega's expression language."""
    return json.dumps(text)

"""Precision and recall: how many alarms are right, and how many of the positives raise one?"""

from __future__ import annotations

import altair as alt

from mlpond.reports.charts.chart import Column, Drawing, Source
from mlpond.reports.charts.scored import cumulated
from mlpond.reports.charts.theme import FIRST, QUIET, colors, data, layered
from mlpond.reports.words import show


def precision_recall(
    source: Source,
    label: Column,
    score: Column,
    *,
    by: Column | None = None,
    positive: str | None = None,
) -> Drawing:
    """Precision over recall, a line for each value of ``by``; dashed is the share of positives."""
    found, totals = cumulated(source, label, score, by, positive)
    kept = [row for row in totals if row["positives"]]
    averages = {row["series"]: row["average_precision"] for row in kept}
    named = {name: f"{name or 'average'} {value:.3f}" for name, value in averages.items()}
    rows = [
        {
            "x": row["true_positives"] / row["positives"],
            "y": row["true_positives"] / (row["true_positives"] + row["false_positives"]),
            "series": named[row["series"]],
        }
        for row in found
        if row["series"] in named
    ]
    n = sum(row["positives"] + row["negatives"] for row in kept)
    share = sum(row["positives"] for row in kept) / n if n else 0
    scale = alt.Scale(domain=[0, 1], nice=False)
    level = alt.Chart(data([{"at": share}])).mark_rule(color=QUIET, strokeDash=[4, 3])
    curve = alt.Chart(data(rows)).mark_line().encode(
        x=alt.X("x:Q", title="recall", scale=scale),
        y=alt.Y("y:Q", title="precision", scale=scale),
        order=alt.Order("x:Q"),
        color=alt.Color("series:N", scale=colors(list(named.values()))) if by else alt.value(FIRST),
    )  # fmt: skip
    chart = layered(level.encode(y="at:Q"), curve)
    if not rows:
        return Drawing(chart, f"Precision and recall of {score}: there are no positive rows.")
    words = "; ".join(f"{name + ': ' if name else ''}{show(v)}" for name, v in averages.items())
    return Drawing(
        chart,
        f"Precision over recall of {score}, average precision {words}. "
        f"The share of positives, {show(share)}, is the precision of a guess.",
    )

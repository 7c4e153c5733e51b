"""Precision and recall: how many alarms are right, and how many of the positives raise one?"""

from __future__ import annotations

import altair as alt

from mlpond.reports.charts.chart import Column, Drawing, Row, Source
from mlpond.reports.charts.scored import scores
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
    averages: dict[str, Row] = {}
    rows: list[Row] = []
    for one in scores(source, label, score, by, positive):
        average = one.row("average_precision")
        if average["average_precision"] is None:
            continue
        averages[one.name] = average
        text = f"{one.name} {average['average_precision']:.3f}".strip()
        rows += [
            {**point, "series": text} for point in one.curve("pr_curve", "recall", "precision")
        ]
    names = list(dict.fromkeys(row["series"] for row in rows))
    n = sum(average["n"] for average in averages.values())
    share = sum(average["prevalence"] * average["n"] for average in averages.values()) / (n or 1)
    scale = alt.Scale(domain=[0, 1], nice=False)
    level = alt.Chart(data([{"at": share}])).mark_rule(color=QUIET, strokeDash=[4, 3])
    curve = alt.Chart(data(rows)).mark_line().encode(
        x=alt.X("x:Q", title="recall", scale=scale),
        y=alt.Y("y:Q", title="precision", scale=scale),
        color=alt.Color("series:N", scale=colors(names)) if by else alt.value(FIRST),
    )  # fmt: skip
    chart = layered(level.encode(y="at:Q"), curve)
    if not rows:
        return Drawing(chart, f"Precision and recall of {score}: there are no positive rows.")
    words = "; ".join(
        f"{name} {show(average['average_precision'])}".strip() for name, average in averages.items()
    )
    return Drawing(
        chart,
        f"Precision over recall of {score}, average precision {words}. "
        f"The share of positives, {show(share)}, is the precision of a guess.",
    )

"""The receiver operating characteristic: which share of the positives at which false alarms?"""

from __future__ import annotations

import altair as alt

from mlpond.reports.charts.chart import Column, Drawing, Row, Source
from mlpond.reports.charts.scored import cumulated
from mlpond.reports.charts.theme import FIRST, QUIET, colors, data, layered
from mlpond.reports.words import show

SQUARE = 300


def roc(
    source: Source,
    label: Column,
    score: Column,
    *,
    by: Column | None = None,
    positive: str | None = None,
) -> Drawing:
    """The ROC curve of a score, one for each value of ``by``; the dashed line is a coin's."""
    found, totals = cumulated(source, label, score, by, positive)
    areas = {row["series"]: row["roc_auc"] for row in totals if row["roc_auc"] is not None}
    named = {name: f"{name or 'area'} {area:.3f}" for name, area in areas.items()}
    rows = [
        {"x": x, "y": y, "series": text}
        for name, text in named.items()
        for x, y in [(0.0, 0.0), *_points(found, name)]
    ]
    shares = alt.Scale(domain=[0, 1], nice=False)
    diagonal = alt.Chart(data([{"x": 0, "y": 0}, {"x": 1, "y": 1}])).mark_line(
        color=QUIET, strokeDash=[4, 3], strokeWidth=1
    )
    curve = alt.Chart(data(rows)).mark_line().encode(
        x=alt.X("x:Q", title="false positive rate", scale=shares),
        y=alt.Y("y:Q", title="true positive rate (recall)", scale=shares),
        order=alt.Order("x:Q"),
        color=alt.Color("series:N", scale=colors(list(named.values()))) if by else alt.value(FIRST),
    )  # fmt: skip
    chart = layered(diagonal.encode(x="x:Q", y="y:Q"), curve).properties(height=SQUARE)
    if not areas:
        return Drawing(chart, f"ROC curve of {score}: it takes rows of both classes of {label}.")
    words = "; ".join(f"{name + ': ' if name else ''}{show(area)}" for name, area in areas.items())
    sizes = {(int(row["positives"]), int(row["positives"] + row["negatives"])) for row in totals}
    text = f"ROC curve of {score}, area under it {words}. A coin has 0.5."
    if len(sizes) == 1:
        positives, n = sizes.pop()
        each = " each" if by else ""
        text += f" {n:,} rows{each}, of which {positives:,} are positive."
    return Drawing(chart, text)


def _points(found: list[Row], name: str) -> list[tuple[float, float]]:
    return [
        (row["false_positives"] / row["negatives"], row["true_positives"] / row["positives"])
        for row in found
        if row["series"] == name
    ]

"""The receiver operating characteristic: which share of the positives at which false alarms?"""

from __future__ import annotations

import altair as alt

from mlpond.reports.charts.chart import Column, Drawing, Row, Source
from mlpond.reports.charts.scored import scores
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
    areas: dict[str, Row] = {}
    rows: list[Row] = []
    for one in scores(source, label, score, by, positive):
        area = one.row("roc_auc")
        if area["roc_auc"] is None:
            continue
        areas[one.name] = area
        text = f"{one.name} {area['roc_auc']:.3f}".strip()
        points = one.curve("roc_points", "false_positive_rate", "true_positive_rate")
        rows += [{**point, "series": text} for point in points]
    names = list(dict.fromkeys(row["series"] for row in rows))
    shares = alt.Scale(domain=[0, 1], nice=False)
    diagonal = alt.Chart(data([{"x": 0, "y": 0}, {"x": 1, "y": 1}])).mark_line(
        color=QUIET, strokeDash=[4, 3], strokeWidth=1
    )
    curve = alt.Chart(data(rows)).mark_line().encode(
        x=alt.X("x:Q", title="false positive rate", scale=shares),
        y=alt.Y("y:Q", title="true positive rate (recall)", scale=shares),
        color=alt.Color("series:N", scale=colors(names)) if by else alt.value(FIRST),
    )  # fmt: skip
    chart = layered(diagonal.encode(x="x:Q", y="y:Q"), curve).properties(height=SQUARE)
    if not areas:
        return Drawing(chart, f"ROC curve of {score}: it takes rows of both classes of {label}.")
    words = [f"{name} {_interval(area)}".strip() for name, area in areas.items()]
    text = f"ROC curve of {score}, area under it {'; '.join(words)}. A coin has 0.5."
    sizes = {(area["n_positives"], area["n_negatives"]) for area in areas.values()}
    if len(sizes) == 1:
        positives, negatives = sizes.pop()
        text += f" {positives + negatives:,} rows{' each' if by else ''}, {positives:,} positive."
    return Drawing(chart, text)


def _interval(area: Row) -> str:
    """The area with DeLong's interval, of confidence 0.95."""
    if area["ci_lower"] is None:
        return show(area["roc_auc"])
    return f"{show(area['roc_auc'])} ({show(area['ci_lower'])} to {show(area['ci_upper'])})"

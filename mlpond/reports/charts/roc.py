"""The receiver operating characteristic: which share of the positives at which false alarms?"""

from __future__ import annotations

import altair as alt

from mlpond.reports.charts.chart import Column, Drawing, Row, Source
from mlpond.reports.charts.scored import measured_curves, scores, share_lines
from mlpond.reports.charts.theme import QUIET, data, layered
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
    areas, rows = measured_curves(
        scores(source, label, score, by, positive), "roc_auc",
        "roc_points", "false_positive_rate", "true_positive_rate",
    )  # fmt: skip
    diagonal = alt.Chart(data([{"x": 0, "y": 0}, {"x": 1, "y": 1}])).mark_line(
        color=QUIET, strokeDash=[4, 3], strokeWidth=1
    )
    curve = share_lines(
        rows, "false positive rate", "true positive rate (recall)", several=by is not None
    )
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

"""Precision and recall: how many alarms are right, and how many of the positives raise one?"""

from __future__ import annotations

import altair as alt

from mlpond.reports.charts.chart import Column, Drawing, Source
from mlpond.reports.charts.scored import measured_curves, scores, share_lines
from mlpond.reports.charts.theme import QUIET, data, layered
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
    averages, rows = measured_curves(
        scores(source, label, score, by, positive), "average_precision",
        "pr_curve", "recall", "precision",
    )  # fmt: skip
    n = sum(average["n"] for average in averages.values())
    share = sum(average["prevalence"] * average["n"] for average in averages.values()) / (n or 1)
    level = alt.Chart(data([{"at": share}])).mark_rule(color=QUIET, strokeDash=[4, 3])
    curve = share_lines(rows, "recall", "precision", several=by is not None)
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

"""Calibration: does it happen as often as the score says?"""

from __future__ import annotations

import altair as alt

from mlpond.reports.charts.chart import Column, Drawing, Row, Source
from mlpond.reports.charts.roc import SQUARE
from mlpond.reports.charts.scored import scores
from mlpond.reports.charts.theme import FIRST, QUIET, colors, data, layered
from mlpond.reports.words import show
from mlpond.sql.templates.quoting import string


def calibration(
    source: Source,
    label: Column,
    score: Column,
    *,
    by: Column | None = None,
    positive: str | None = None,
    bins: int = 10,
) -> Drawing:
    """The share of positives over the mean score, in bins of equally many rows.

    The bar of a point is Wilson's interval of the share, at 95 %; points on the dashed line are
    scores that can be used as probabilities.
    """
    rows: list[Row] = []
    for one in scores(source, label, score, by, positive):
        curve = one.call("calibration_curve", bins=f"{bins}", strategy="'quantile'")
        rows += source.rows(
            f"""
            with binned as (
                select
                    *,
                    ml.proportion_interval(round(n_rows * positive_rate), n_rows) as interval,
                from {curve}
            )
            select {string(one.name)} as series, mean_predicted as x, positive_rate as y,
                n_rows as n, interval.ci_lower as lower, interval.ci_upper as upper,
            from binned
            order by x
            """
        )
    names = list(dict.fromkeys(row["series"] for row in rows))
    highest = max([1e-3, *(max(row["x"], row["upper"]) for row in rows)])
    top = next((step for step in (0.02, 0.05, 0.1, 0.2, 0.5) if highest <= step), None)
    top = top or max(1.0, highest)
    scale = alt.Scale(domain=[0, top], nice=False, clamp=True)
    diagonal = alt.Chart(data([{"x": 0, "y": 0}, {"x": top, "y": top}])).mark_line(
        color=QUIET, strokeDash=[4, 3], strokeWidth=1
    )
    base = alt.Chart(data(rows)).encode(
        x=alt.X("x:Q", title="mean score", scale=scale),
        color=alt.Color("series:N", scale=colors(names)) if by else alt.value(FIRST),
    )
    vertical = alt.Y("y:Q", title="share of positives", scale=scale)
    chart = layered(
        diagonal.encode(x="x:Q", y="y:Q"),
        base.mark_rule().encode(y=alt.Y("lower:Q", scale=scale), y2="upper:Q"),
        base.mark_line(point=True).encode(y=vertical),
    ).properties(height=SQUARE)
    return Drawing(chart, _summary(rows, names, score))


def _summary(rows: list[Row], names: list[str], score: str) -> str:
    if not rows:
        return f"Calibration of {score}: there are no rows."
    words = []
    for name in names:
        mine = [row for row in rows if row["series"] == name]
        n = sum(row["n"] for row in mine)
        error = sum(row["n"] * abs(row["x"] - row["y"]) for row in mine) / n
        farthest = max(mine, key=lambda row: abs(row["x"] - row["y"]))
        words.append(
            f"{name + ': ' if name else ''}mean distance {show(error)}, the largest where the "
            f"score says {show(farthest['x'])} and {show(farthest['y'])} happened"
        )
    return f"Calibration of {score}: {'; '.join(words)}."

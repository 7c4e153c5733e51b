"""Calibration: does it happen as often as the score says?"""

from __future__ import annotations

import altair as alt

from mlpond.reports.charts.chart import Column, Drawing, Row, Source
from mlpond.reports.charts.roc import SQUARE
from mlpond.reports.charts.scored import scored
from mlpond.reports.charts.theme import FIRST, QUIET, colors, data, layered
from mlpond.reports.words import show


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
    rows = source.rows(
        f"""
        with {scored(source, label, score, by, positive)},
        -- equal scores stay together, so that the order of rows does not matter
        ranked as (
            select *, cume_dist() over (partition by series order by score) as below from scored
        ),
        binned as (
            select series, ceil(below * {bins}) as bin, avg(score) as x, avg(is_positive::int) as y,
                count(*) as n, count(*) filter (is_positive) as k,
            from ranked
            group by series, bin
        )
        select
            series, x, y, n,
            (y + z2 / (2 * n) - sqrt(z2) * sqrt(y * (1 - y) / n + z2 / (4 * n * n))) / (1 + z2 / n)
                as lower,
            (y + z2 / (2 * n) + sqrt(z2) * sqrt(y * (1 - y) / n + z2 / (4 * n * n))) / (1 + z2 / n)
                as upper,
        from binned, (select 3.841458820694124e0 as z2)
        order by series, x
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

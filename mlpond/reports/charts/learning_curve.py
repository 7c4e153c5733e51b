"""How the loss, or a score, changes as training goes on or as rows are added."""

from __future__ import annotations

import altair as alt

from mlpond.reports.charts.chart import Column, Drawing, Source, ident
from mlpond.reports.charts.theme import FIRST, colors, data
from mlpond.reports.words import show


def learning_curve(
    source: Source,
    x: Column,
    training: Column,
    *,
    evaluation: Column | None = None,
    log_x: bool = False,
    log_y: bool = False,
) -> Drawing:
    """A line for the training rows and one for those held out, over iterations or rows."""
    rows = source.rows(
        f"""
        select x, y, series
        from (
            select {ident(x)} as x, {ident(training)}::double as y, 'training' as series
            from {source.relation}
            union all
            select {ident(x)}, {ident(evaluation) if evaluation else "null"}::double, 'held out'
            from {source.relation}
        )
        where isfinite(y) {"and x > 0" if log_x else ""} {"and y > 0" if log_y else ""}
        order by series desc, x
        """
    )
    names = list(dict.fromkeys(row["series"] for row in rows))
    across = alt.Scale(type="log") if log_x else alt.Scale(zero=False, nice=False)
    down = alt.Scale(type="log") if log_y else alt.Scale(zero=False)
    series = alt.Color("series:N", scale=colors(names)) if len(names) > 1 else alt.value(FIRST)
    chart = (
        alt.Chart(data(rows))
        .mark_line(point=len(rows) <= 60)
        .encode(
            x=alt.X("x:Q", title=x, scale=across, axis=alt.Axis(tickMinStep=1)),
            y=alt.Y("y:Q", title=training, scale=down),
            color=series,
        )
    )
    ends = {row["series"]: row for row in reversed(rows)}
    last = {row["series"]: row for row in rows}
    words = [f"{name} from {show(ends[name]['y'])} to {show(last[name]['y'])}" for name in names]
    return Drawing(chart, f"{training} over {x}: {'; '.join(words) or 'there are no values'}.")

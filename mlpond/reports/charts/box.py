"""Distributions side by side, by their quartiles."""

from __future__ import annotations

import altair as alt

from mlpond.reports.charts.chart import Column, Drawing, Source, ident
from mlpond.reports.charts.theme import FIRST, data, layered, rows_height
from mlpond.reports.words import show


def box(source: Source, label: Column, value: Column, *, limit: int = 20) -> Drawing:
    """For each label a box from quartile to quartile, the median, and whiskers.

    Whiskers end at the outermost values within 1.5 times the box (Tukey 1977); values beyond
    are not drawn but counted in the summary.
    """
    rows = source.rows(
        f"""
        with measured as (
            select coalesce({ident(label)}::varchar, '—') as label, {ident(value)}::double as y
            from {source.relation}
            where isfinite({ident(value)}::double)
        ),
        boxes as (
            select label, count(*) as n, quantile_cont(y, 0.25) as low,
                quantile_cont(y, 0.5) as median, quantile_cont(y, 0.75) as high,
            from measured
            group by label
        )
        select
            boxes.*,
            min(y) filter (y >= low - 1.5 * (high - low)) as whisker_low,
            max(y) filter (y <= high + 1.5 * (high - low)) as whisker_high,
            count(*) filter (y not between low - 1.5 * (high - low) and high + 1.5 * (high - low))
                as beyond,
        from measured
        join boxes using (label)
        group by all
        order by median desc, label
        limit {limit}
        """
    )
    labels = [row["label"] for row in rows]
    base = alt.Chart(data(rows)).encode(y=alt.Y("label:N", title=None, sort=labels))
    scale = alt.Scale(zero=False)
    chart = layered(
        base.mark_rule(strokeWidth=1.5).encode(
            x=alt.X("whisker_low:Q", title=value, scale=scale), x2="whisker_high:Q"
        ),
        base.mark_bar(size=12, color=FIRST).encode(x=alt.X("low:Q", scale=scale), x2="high:Q"),
        base.mark_tick(color="currentColor", thickness=2, size=16).encode(
            x=alt.X("median:Q", scale=scale)
        ),
    ).properties(height=rows_height(len(labels)))
    if not rows:
        return Drawing(chart, f"{value} by {label}: there are no values.")
    text = (
        f"{value} by {label}: medians from {show(rows[-1]['median'])} ({labels[-1]}) "
        f"to {show(rows[0]['median'])} ({labels[0]})."
    )
    beyond = sum(row["beyond"] for row in rows)
    return Drawing(chart, text + (f" {beyond:,} values lie beyond the whiskers." if beyond else ""))

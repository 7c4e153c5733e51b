"""What counts most in a model."""

from __future__ import annotations

import altair as alt

from mlpond.reports.charts.chart import Column, Drawing, Source, ident
from mlpond.reports.charts.theme import FIRST, SECOND, data, layered, rows_height
from mlpond.reports.words import listing, show


def importance(
    source: Source,
    feature: Column,
    value: Column,
    *,
    lower: Column | None = None,
    upper: Column | None = None,
    limit: int = 15,
) -> Drawing:
    """The features of the largest absolute values; colours tell positive from negative ones."""
    rows = source.rows(
        f"""
        select
            coalesce({ident(feature)}::varchar, '—') as feature,
            {ident(value)}::double as value,
            {ident(lower) if lower else "null"} as lower,
            {ident(upper) if upper else "null"} as upper,
            if({ident(value)} < 0, 'lowers', 'raises') as direction,
        from {source.relation}
        where {ident(value)} is not null
        order by abs({ident(value)}) desc, feature
        limit {limit}
        """
    )
    n = source.row(f"select count({ident(value)}) as n from {source.relation}")["n"]
    names = [row["feature"] for row in rows]
    has_both = len({row["direction"] for row in rows}) == 2
    base = alt.Chart(data(rows)).encode(y=alt.Y("feature:N", title=None, sort=names))
    direction = alt.Scale(domain=["raises", "lowers"], range=[FIRST, SECOND])
    layers = [
        base.mark_bar().encode(
            x=alt.X("value:Q", title=value),
            color=alt.Color("direction:N", scale=direction) if has_both else alt.value(FIRST),
        )
    ]
    if lower and upper:
        layers.append(base.mark_rule(color="currentColor").encode(x=alt.X("lower:Q"), x2="upper:Q"))
    chart = layered(*layers).properties(height=rows_height(len(names)) + 20 * has_both)
    if not rows:
        return Drawing(chart, f"{value} by {feature}: there are no values.")
    top = listing([f"{row['feature']} ({show(row['value'])})" for row in rows[:3]])
    part = f"the {len(rows)} largest of {n}" if n > len(rows) else f"{n} values"
    return Drawing(chart, f"{value} by {feature}, {part}: first {top}.")

"""How often values occur."""

from __future__ import annotations

import math

import altair as alt

from mlpond.reports.charts.chart import Column, Drawing, Source, ident
from mlpond.reports.charts.theme import FIRST, colors, data, layered
from mlpond.reports.words import listing, show
from mlpond.type_names import is_whole


def histogram(
    source: Source,
    x: Column,
    *,
    by: Column | None = None,
    bins: int = 30,
    low: float | None = None,
    high: float | None = None,
    expected: float | None = None,
) -> Drawing:
    """Bins of one width and the share of rows in each; with ``by`` an outline a group.

    Without low and high the bins reach from the 0.1 % to the 99.9 % quantile, so that one wild
    value does not press all others into one bin; what lies outside is counted in the summary.
    ``expected`` is the share that each bin should have, drawn as a line across.
    """
    column = f"{ident(x)}::double"
    facts = source.row(
        f"""
        select
            {"quantile_cont(x, 1e-3)" if low is None else f"{low!r}::double"} as low,
            {"quantile_cont(x, 0.999)" if high is None else f"{high!r}::double"} as high,
            quantile_cont(x, 0.5) as median, count(x) as n, count(*) - count(x) as missing,
        from (select {column} as x from {source.relation})
        where isfinite(x) or x is null
        """
    )
    rows = []
    outside = 0
    if facts["n"]:
        start, end = facts["low"], facts["high"]
        if end <= start:
            start, end = start - 0.5, start + 0.5
        width = (end - start) / bins
        if is_whole(source.types[x]):  # bins of as many whole numbers each
            width = math.ceil((end - start + 1) / bins)
            start = math.floor(start) - 0.5
            bins = math.ceil((end + 0.5 - start) / width)
            end = start + bins * width
        counted = source.rows(
            f"""
            select
                {f"coalesce({ident(by)}::varchar, '—')" if by else "''"} as series,
                floor(({column} - {start!r}) / {width!r}) as bin,
                count(*) as n,
            from {source.relation}
            where isfinite({column}) and {column} between {start!r} and {end!r}
            group by all
            order by all
            """
        )
        totals: dict[str, int] = {}
        merged: dict[tuple[str, int], int] = {}
        for row in counted:
            key = (row["series"], min(int(row["bin"]), bins - 1))  # the last bin is closed
            merged[key] = merged.get(key, 0) + row["n"]
            totals[row["series"]] = totals.get(row["series"], 0) + row["n"]
        outside = facts["n"] - sum(totals.values())
        rows = [
            {
                "from": start + place * width,
                "to": start + (place + 1) * width,
                "share": merged.get((series, min(place, bins - 1)), 0) / totals[series],
                "series": series,
            }
            for series in totals
            for place in range(bins + bool(by))  # an outline ends where its last bin does
        ]
    names = list(dict.fromkeys(str(row["series"]) for row in rows))
    horizontal = alt.X("from:Q", title=x, scale=alt.Scale(nice=False, zero=False))
    vertical = alt.Y("share:Q", title="share of rows")
    chart: alt.Chart | alt.LayerChart
    if by:
        chart = (
            alt.Chart(data(rows))
            .mark_area(opacity=0.25, line=True, interpolate="step-after")
            .encode(
                x=horizontal,
                y=alt.Y("share:Q", title="share of rows", stack=None),
                color=alt.Color("series:N", scale=colors(names)),
            )
        )
    else:
        chart = (
            alt.Chart(data(rows))
            .mark_bar(color=FIRST, binSpacing=0.5)
            .encode(x=horizontal.bin("binned"), x2="to:Q", y=vertical)
        )
    if expected is not None:
        rule = alt.Chart(data([{"at": expected}])).mark_rule(strokeDash=[4, 3])
        chart = layered(chart, rule.encode(y="at:Q"))
    return Drawing(chart, _summary(x, facts, outside, names if by else []))


def _summary(x: str, facts: dict[str, object], outside: int, names: list[str]) -> str:
    if not facts["n"]:
        return f"Distribution of {x}: there are no values."
    text = f"Distribution of {x}, {show(facts['n'])} values"
    text += f", by {listing(names[:6])}" if names else ""
    text += f": median {show(facts['median'])}."
    if outside:
        text += f" {outside:,} beyond {show(facts['low'])} and {show(facts['high'])} are not drawn."
    return text + (f" {facts['missing']:,} are missing." if facts["missing"] else "")

"""What a regression leaves unexplained, over what it predicts."""

from __future__ import annotations

import altair as alt

from mlpond.reports.charts.chart import Column, Drawing, Source, ident
from mlpond.reports.charts.theme import FIRST, QUIET, SECOND, data, layered
from mlpond.reports.words import show

BINS = 20


def residuals(source: Source, actual: Column, predicted: Column, *, limit: int = 500) -> Drawing:
    """Residual = actual − predicted, of some rows; the line is the mean in bins of equally many.

    The vertical axis covers 99 % of the residuals, so that a few wild ones do not hide the rest.
    """
    residual = f"""
        residual as (
            select {ident(predicted)}::double as x,
                {ident(actual)}::double - {ident(predicted)}::double as y,
            from {source.relation}
            where isfinite({ident(actual)}::double) and isfinite({ident(predicted)}::double)
        )"""
    points = source.rows(
        f"with {residual} select * from residual order by hash(x, y) limit {limit}"
    )
    means = source.rows(
        f"""
        with {residual},
        binned as (select *, ntile({BINS}) over (order by x) as bin from residual)
        select avg(x) as x, avg(y) as y from binned group by bin order by x
        """
    )
    facts = source.row(
        f"""
        with {residual}
        select
            count(*) as n, avg(y) as mean, stddev_samp(y) as sd,
            quantile_cont(abs(y), 0.5) as median,
            quantile_cont(y, 5e-3) as low, quantile_cont(y, 0.995) as high,
            quantile_cont(x, 5e-3) as left_end, quantile_cont(x, 0.995) as right_end,
        from residual
        """
    )
    if not facts["n"]:
        return Drawing(alt.Chart(data([])).mark_point(), "Residuals: there are no rows.")
    across = alt.Scale(domain=[facts["left_end"], facts["right_end"]], nice=True, zero=False)
    down = alt.Scale(domain=[facts["low"], facts["high"]], nice=True, zero=False)
    x = alt.X("x:Q", title=predicted, scale=across)
    y = alt.Y("y:Q", title="residual (actual − predicted)", scale=down)
    chart = layered(
        alt.Chart(data(points)).mark_point(clip=True, color=FIRST, fillOpacity=0.5, size=14)
        .encode(x=x, y=y),
        alt.Chart(data([{"at": 0}])).mark_rule(color=QUIET, strokeDash=[4, 3]).encode(y="at:Q"),
        alt.Chart(data(means)).mark_line(clip=True, color=SECOND).encode(x=x, y=y),
    )  # fmt: skip
    return Drawing(
        chart,
        f"Residuals of {predicted}, {len(points):,} of {facts['n']:,} rows: mean "
        f"{show(facts['mean'])}, standard deviation {show(facts['sd'])}, half of them within "
        f"{show(facts['median'])} of zero.",
    )

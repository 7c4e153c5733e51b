"""What ROC, precision–recall and calibration share: a label of two classes and a score of it."""

from __future__ import annotations

from mlpond.reports.charts.chart import Column, Row, Source, ident
from mlpond.sql.templates.quoting import string

POINTS = 150
"""Points of a curve: more cannot be told apart on 360 units."""


def scored(
    source: Source, label: Column, score: Column, by: Column | None, positive: str | None
) -> str:
    """CTE ``scored``: series, is_positive and score of every row that has a label and a score.

    Without ``positive`` the greater of the two labels is the positive one: true, 1, yes.
    """
    return f"""
        labelled as (
            select
                {f"coalesce({ident(by)}::varchar, '—')" if by else "''"} as series,
                {ident(label)} as label,
                {ident(score)}::double as score,
            from {source.relation}
            where {ident(label)} is not null and isfinite({ident(score)}::double)
        ),
        scored as (
            select
                series,
                {
        f"label::varchar = {string(positive)}"
        if positive is not None
        else "label = (select max(label) from labelled)"
    } as is_positive,
                score,
            from labelled
        )"""


def cumulated(
    source: Source, label: Column, score: Column, by: Column | None, positive: str | None
) -> tuple[list[Row], list[Row]]:
    """The points of each series at which rows are called positive, and a row of totals a series.

    A point has the numbers of true and false positives when every score from ``threshold`` on is
    called positive; points are thinned evenly over the rows. Totals have the area under the ROC
    curve (trapezoids, so that ties count half) and the average precision, over all points.
    """
    query = f"""
        with {scored(source, label, score, by, positive)},
        by_score as (
            select
                series, score,
                count(*) filter (is_positive) as positives,
                count(*) filter (not is_positive) as negatives,
            from scored
            group by series, score
        ),
        totals as (
            select series, sum(positives)::double as positives, sum(negatives)::double as negatives,
            from by_score
            group by series
        ),
        points as (
            select
                by_score.series,
                score as threshold,
                by_score.positives as new_positives,
                by_score.negatives as new_negatives,
                sum(by_score.positives) over above as true_positives,
                sum(by_score.negatives) over above as false_positives,
                totals.positives,
                totals.negatives,
            from by_score
            join totals using (series)
            window above as (partition by by_score.series order by score desc)
        )"""
    points = source.rows(
        f"""
        {query},
        placed as (
            select
                *,
                floor({POINTS} * true_positives / nullif(positives, 0)) as up,
                floor({POINTS} * false_positives / nullif(negatives, 0)) as across,
                floor({POINTS} * (true_positives + false_positives) / (positives + negatives))
                    as depth,
            from points
        )
        select series, threshold, true_positives::double as true_positives,
            false_positives::double as false_positives, positives, negatives,
        from placed
        qualify lag((up, across, depth)) over (partition by series order by threshold desc)
            is distinct from (up, across, depth)
            or row_number() over (partition by series order by threshold) = 1
        order by series, threshold desc
        """
    )
    totals = source.rows(
        f"""
        {query}
        select
            series,
            any_value(positives) as positives,
            any_value(negatives) as negatives,
            sum(new_negatives * (true_positives - new_positives / 2))
                / nullif(any_value(positives) * any_value(negatives), 0) as roc_auc,
            sum(new_positives * true_positives / (true_positives + false_positives))
                / nullif(any_value(positives), 0) as average_precision,
        from points
        group by series
        order by series
        """
    )
    return points, totals

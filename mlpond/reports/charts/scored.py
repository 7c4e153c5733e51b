"""What ROC, precision–recall and calibration share: a label of two classes and a score of it.

The curves are the library's own functions; a chart asks them once a series and thins the points.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import altair as alt

from mlpond.reports.charts.chart import Column, Row, Source, ident
from mlpond.reports.charts.theme import FIRST, SERIES, colors, data
from mlpond.sql.templates.quoting import string

POINTS = 150
"""Points of a curve: more cannot be told apart on 360 units."""


@dataclass(frozen=True)
class Scores:
    """The labels and scores of one series, as a call of a function of the library takes them."""

    source: Source
    name: str
    relation: str
    label: Column
    score: Column
    positive: str

    def call(self, function: str, **settings: str) -> str:
        """``ml.<function>`` of the scores, as it stands behind FROM; settings are SQL."""
        arguments = [string(self.relation), string(self.label), string(self.score)]
        settings["positive"] = string(self.positive)
        arguments += [f"{name} := {value}" for name, value in settings.items()]
        return f"ml.{function}({', '.join(arguments)})"

    def row(self, function: str, **settings: str) -> Row:
        """The one row of a function."""
        return self.source.row(f"from {self.call(function, **settings)}")

    def curve(self, function: str, x: str, y: str) -> list[Row]:
        """The points x and y of a curve, thinned to those that can be told apart."""
        return self.source.rows(
            f"""
            with points as (
                select threshold, {x} as x, {y} as y
                from {self.call(function)}
                where {x} is not null and {y} is not null
            ),
            placed as (
                select
                    *,
                    row_number() over (order by threshold desc, x) as place,
                    floor({POINTS} * x) as across,
                    floor({POINTS} * y) as up,
                from points
            )
            select x, y
            from placed
            qualify lag((across, up)) over (order by place) is distinct from (across, up)
                or place = max(place) over ()
            order by place
            """
        )


def scores(
    source: Source, label: Column, score: Column, by: Column | None, positive: str | None
) -> Iterator[Scores]:
    """The scores of each value of ``by``, or all of them as one series without a name.

    A series with one class is left out: it has no curve. Without ``positive`` the greater class
    of all rows is the positive one.
    """
    name = f"{ident(by)}::varchar" if by else "''"
    found = source.rows(
        f"""
        with labels as (
            select {name} as name, {ident(label)} as label
            from {source.relation}
            where {ident(label)} is not null and isfinite({ident(score)}::double)
        ),
        wanted as (
            select {string(positive) if positive is not None else "max(label)::varchar"} as positive
            from labels
        )
        select name, any_value(positive) as positive
        from labels, wanted
        where name is not null
        group by name
        having bool_or(label::varchar = positive) and bool_or(label::varchar <> positive)
        order by name
        limit {len(SERIES)}
        """
    )
    for row in found:
        relation = source.relation
        if by:
            relation = f"(select * from {relation} where {name} = {string(row['name'])})"
        yield Scores(source, row["name"], relation, label, score, row["positive"])


def measured_curves(
    series: Iterable[Scores], measure: str, curve: str, x: str, y: str
) -> tuple[dict[str, Row], list[Row]]:
    """The measure of every series, and the points of its curve named with it.

    Args:
        series: The scores; those whose measure is NULL are left out.
        measure: An aggregate that gives a field of its own name.
        curve: The table macro of the points.
        x: Its column across.
        y: Its column upwards.
    """
    found: dict[str, Row] = {}
    rows: list[Row] = []
    for one in series:
        measured = one.row(measure)
        if measured[measure] is None:
            continue
        found[one.name] = measured
        text = f"{one.name} {measured[measure]:.3f}".strip()
        rows += [{**point, "series": text} for point in one.curve(curve, x, y)]
    return found, rows


def share_lines(rows: list[Row], x: str, y: str, *, several: bool) -> alt.Chart:
    """Lines of points whose both coordinates are shares.

    Args:
        rows: With x, y and series.
        x: The title across.
        y: The title upwards.
        several: Whether the series have colours.
    """
    scale = alt.Scale(domain=[0, 1], nice=False)
    names = list(dict.fromkeys(row["series"] for row in rows))
    color = alt.Color("series:N", scale=colors(names)) if several else alt.value(FIRST)
    lines: alt.Chart = alt.Chart(data(rows)).mark_line()
    found: alt.Chart = lines.encode(
        x=alt.X("x:Q", title=x, scale=scale), y=alt.Y("y:Q", title=y, scale=scale), color=color
    )
    return found

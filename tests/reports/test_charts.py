"""Each chart draws, says what it shows, and shows what is in the rows."""

from __future__ import annotations

import inspect
import re
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics

import mlpond
from mlpond.pipelines.runner import find_project, list_pipelines
from mlpond.reports.charts import CHARTS, find_chart
from mlpond.reports.charts.chart import Source, draw
from mlpond.reports.charts.theme import to_svg
from mlpond.reports.words import fill, listing, number, show, unit

ROWS = """
    select
        i, sin(i) * 10 as y, sin(i) * 10 + cos(i * 5.1) as fitted, date '2024-01-01' + i::int as day,
        timestamptz '2024-01-01 00:00:00+00' + to_hours(i) as moment,
        ['<script>', 'b & c', null][1 + i % 3] as arm, i % 4 as m,
        if(i % 4 = 0, 'cat', 'dog') as class, i % 7 as half_hour, if(i % 5 = 0, 'cat', 'dog') as guess,
        (i * 37 % 101) / 101 as score, (i * 37 % 101) / 101 > (i * 61 % 97) / 97 as label,
    from range(600) as rows(i)
"""
GROUPS = """
    select 'feature ' || m as feature, m, avg(y) as mean, avg(y) - 1 as low, avg(y) + 1 as high,
        if(m < 2, 'x', 'y') as half, count(*) as n
    from rows group by m order by m
"""
CASES = [
    ("line", "rows", {"x": "day", "y": "y"}, "y over day: 0 at 2024-01-01"),
    ("line", "rows", {"x": "moment", "y": "i"}, "599 at 2024-01-25T23:00:00Z"),
    ("line", "groups", {"x": "m", "y": ["low", "high"]}, "low and high over m, at the end: low"),
    ("line", "groups", {"x": "n", "y": "mean", "by": "half", "lower": "low", "upper": "high"}, "x"),
    ("bar", "groups", {"label": "feature", "value": "n"}, "150 of feature 0"),
    ("bar", "groups", {"label": "feature", "value": "mean", "by": "half", "limit": 2}, "first 2 of 4"),
    ("histogram", "rows", {"x": "y"}, "Distribution of y, 600 values"),
    ("histogram", "rows", {"x": "i", "by": "arm", "expected": 0.03}, "by <script>, b & c and —"),
    ("scatter", "rows", {"x": "y", "y": "fitted", "limit": 50}, "50 of 600 rows; r = 0.99"),
    ("scatter", "rows", {"x": "day", "y": "y", "by": "class"}, "500 of 600 rows"),
    ("interval", "groups", {"label": "feature", "estimate": "mean", "lower": "low", "upper": "high",
                            "reference": 0, "by": "half"}, "4 of 4 intervals hold 0"),
    ("box", "rows", {"label": "arm", "value": "y"}, "y by arm: medians from"),
    ("violin", "rows", {"label": "arm", "value": "y"}, "y by arm: medians from"),
    ("heatmap", "rows", {"x": "m", "y": "class", "value": "y"}, "y by class and m: from"),
    ("roc", "rows", {"label": "label", "score": "score"}, "A coin has 0.5. 600 rows"),
    ("roc", "rows", {"label": "class", "score": "y", "by": "half_hour", "positive": "cat"}, "ROC curve of y"),
    ("precision_recall", "rows", {"label": "label", "score": "score"}, "average precision 0."),
    ("calibration", "rows", {"label": "label", "score": "score", "by": "class"}, "cat: mean distance"),
    ("confusion_matrix", "rows", {"actual": "class", "predicted": "guess"}, "of 600 rows are on the"),
    ("residuals", "rows", {"actual": "y", "predicted": "fitted"}, "500 of 600 rows: mean"),
    ("importance", "groups", {"feature": "feature", "value": "mean"}, "mean by feature, 4 values"),
    ("learning_curve", "groups", {"x": "m", "training": "n", "evaluation": "low"}, "held out from"),
]  # fmt: skip


@pytest.fixture(scope="module")
def con():
    with mlpond.connect() as session:
        session.con.execute(f"create table rows as {ROWS}")
        session.con.execute(f"create table groups as {GROUPS}")
        yield session.con


def drawn(con, kind, source, given_settings):
    rows = Source(con, f"from {source}", source)
    return draw(kind, find_chart(kind, source), rows, given_settings)


def values_of(drawing):
    """The rows of each layer of a chart."""
    specification = drawing.chart.to_dict()
    layers = specification.get("layer", [specification])
    return [specification["datasets"][layer["data"]["name"]] for layer in layers]


@pytest.mark.parametrize(("kind", "source", "given_settings", "words"), CASES)
def test_a_chart_draws_and_speaks(con, kind, source, given_settings, words):
    drawing = drawn(con, kind, source, given_settings)
    assert words in drawing.summary
    svg = to_svg(drawing.chart, drawing.summary, 7)
    root = ElementTree.fromstring(svg)
    assert root.get("aria-label") == drawing.summary
    assert "<script" not in svg
    assert "http" not in svg
    assert {"rect", "path", "circle", "line"} & {element.tag for element in root.iter()}
    for element in root.iter():
        assert element.get("id", "chart-7-").startswith("chart-7-")
    # 360 units wide, and of a height that a screen holds
    _, _, width, height = map(float, root.get("viewBox").split())
    assert (width, 80 < height < 700) == (360, True)


def test_every_kind_is_tested():
    assert {case[0] for case in CASES} == set(CHARTS)


@pytest.mark.parametrize(("kind", "source", "given_settings", "words"), CASES)
def test_an_empty_table_is_no_error(con, kind, source, given_settings, words):
    drawing = drawn(con, kind, f"{source} where false", given_settings)
    assert "0 of 0" not in drawing.summary
    to_svg(drawing.chart, drawing.summary, 1)


def test_the_thinned_curve_has_the_area_of_the_whole(con):
    drawing = drawn(con, "roc", "rows", {"label": "label", "score": "score"})
    points = values_of(drawing)[1]
    label, score = map(
        np.array, zip(*con.sql("select label, score from rows").fetchall(), strict=True)
    )
    expected = metrics.roc_auc_score(label, score)
    x, y = [row["x"] for row in points], [row["y"] for row in points]
    # a cell of the grid to which points are thinned has the side 1 / 150
    assert np.trapezoid(y, x) == pytest.approx(expected, abs=1 / 150)
    assert f"area under it {expected:.4g} (" in drawing.summary


@settings(deadline=None, max_examples=20)
@given(
    values=st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=30),
    bins=st.integers(1, 40),
)
def test_bins_hold_every_value_between_their_ends(con, values, bins):
    source = Source(con, f"select unnest({values!r}::double[]) as x", "values")
    bounds = {"low": min(values) - 1.0, "high": max(values) + 1.0}
    drawing = draw("histogram", CHARTS["histogram"], source, {"x": "x", "bins": bins, **bounds})
    (rows,) = values_of(drawing)
    assert len(rows) == bins
    assert sum(row["share"] for row in rows) == pytest.approx(1, rel=1e-12)


def test_the_shipped_pipelines_declare_what_charts_take():
    for name in list_pipelines():
        for section in find_project(name).report.sections:
            for chart in section.charts:
                where = f"{name}: {section.title}: {chart.kind}"
                parameters = list(
                    inspect.signature(find_chart(chart.kind, where)).parameters.values()
                )[1:]
                needed = {p.name for p in parameters if p.default is p.empty}
                assert needed <= set(chart.settings) <= {p.name for p in parameters}, where


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "—"), (336776, "336,776"), (-5, "−5"), (0.7743812, "0.7744"), (1155.437, "1,155"),
        (1e-27, "1e−27"), (float("nan"), "NaN"), (float("-inf"), "−∞"), (True, "true"), (0.0, "0"),
        ([1, None], "1; —"), ({"a": 0.5}, "a: 0.5"), ("x" * 200, "x" * 119 + "…"),
    ],
)  # fmt: skip
def test_values_as_people_read_them(value, text):
    assert show(value) == text


def test_words():
    assert number(0.00012345) == "0.0001234" or number(0.00012345) == "0.0001235"
    assert listing(["a", "b", "c"]) == "a, b and c"
    assert (unit("delay_minutes"), unit("body_mass_g"), unit("g"), unit("origin")) == (
        "min",
        "g",
        "",
        "",
    )
    assert fill("{{x}} {x:.1f} {y}", {"x": -1.26, "y": None}, "text") == "{x} −1.3 —"


def test_the_guide_has_every_chart_and_what_it_takes():
    guide = (Path(__file__).parents[2] / "docs/guides/report.md").read_text(encoding="utf-8")
    for kind, function in CHARTS.items():
        (row,) = (
            line for line in guide.splitlines() if line.startswith("|") and f"`{kind}`" in line
        )
        for name in list(inspect.signature(function).parameters)[1:]:
            assert re.search(rf"\b{name}\b", row.split("|")[2]), f"{kind}: {name}"

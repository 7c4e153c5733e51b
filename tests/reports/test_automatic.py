"""Which chart the columns of a table ask for."""

from __future__ import annotations

import pytest

from mlpond.reports.automatic import FEW, choose_chart

MANY = FEW + 1
CI = {"ci_lower": "number", "ci_upper": "number"}


@pytest.mark.parametrize(
    ("kinds", "n", "kind", "settings"),
    [
        ({"id": "integer", "is_late": "boolean", "probability": "number"}, MANY, "roc",
         {"label": "is_late", "score": "probability"}),
        ({"question": "key", "estimate": "number", **CI}, 5, "interval",
         {"label": "question", "estimate": "estimate", "lower": "ci_lower", "upper": "ci_upper"}),
        ({"carrier": "key", "n": "integer", "share": "number", **CI}, 5, "interval",
         {"label": "carrier", "estimate": "share", "lower": "ci_lower", "upper": "ci_upper"}),
        ({"feature": "key", "importance": "number"}, 90, "importance",
         {"feature": "feature", "value": "importance"}),
        ({"day": "temporal", "orders": "integer"}, 90, "line", {"x": "day", "y": "orders"}),
        ({"iteration": "integer", "loss": "number"}, 9, "line", {"x": "iteration", "y": "loss"}),
        ({"species": "key", "penguins": "integer", "mistakes": "integer"}, 3, "bar",
         {"label": "species", "value": "mistakes"}),
        ({"order_id": "integer", "city": "text", "price": "number"}, MANY, "histogram",
         {"x": "price"}),
    ],
)  # fmt: skip
def test_columns_ask_for_a_chart(kinds, n, kind, settings):
    chart = choose_chart(kinds, n)
    assert chart is not None
    assert (chart.kind, chart.settings) == (kind, settings)


@pytest.mark.parametrize(
    ("kinds", "n"),
    [
        ({"n": "integer"}, 1),  # one row
        ({"order_id": "integer", "city": "text"}, MANY),  # an identifier is no quantity
        ({"city": "text", "year": "text"}, MANY),
        ({"city": "text", "price": "number"}, 10),  # cities occur more than once
        ({"question": "text", "estimate": "number", **CI}, 5),
        ({"question": "key", **CI}, 5),  # no estimate between the bounds
    ],
)
def test_no_chart_rather_than_a_wrong_one(kinds, n):
    assert choose_chart(kinds, n) is None

"""Shapley values against all orders of the channels."""

from __future__ import annotations

from itertools import permutations
from math import factorial

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.sql.calls import dicts, load


def shapley(con, rows, worth="conversions"):
    load(con, "walked", "p varchar[], n double, x double, lost double", rows)
    found = con.execute(
        f"from ml.shapley_attribution('walked', 'p', 'n', 'x', 'lost', worth := '{worth}')"
    )
    return {row["channel"]: row for row in dicts(found)}


def reference(rows, worth):
    """The average, over all orders, of what a channel adds to those before it."""

    def value(members):
        inside = [row for row in rows if row[0] and set(row[0]) <= members]
        n, lost = sum(row[1] for row in inside), sum(row[3] for row in inside)
        return n if worth == "conversions" else n / (n + lost) if n + lost else 0

    channels = sorted({channel for path, *_ in rows for channel in path})
    found = dict.fromkeys(channels, 0.0)
    for order in permutations(channels):
        for i, channel in enumerate(order):
            found[channel] += value(set(order[: i + 1])) - value(set(order[:i]))
    return {channel: total / factorial(len(channels)) for channel, total in found.items()}


paths = st.lists(
    st.tuples(
        st.lists(st.sampled_from("ABCDE"), max_size=5),
        st.integers(0, 9), st.integers(0, 20), st.integers(0, 9),
    ),
    min_size=1, max_size=8,
)  # fmt: skip


@settings(deadline=None, max_examples=12)
@given(paths, st.sampled_from(["conversions", "rate"]))
def test_agrees_with_all_orders(con, rows, worth):
    found = shapley(con, rows, worth)
    for channel, value in reference(rows, worth).items():
        # at most 16 differences of numbers up to 72
        assert found[channel]["shapley_value"] == pytest.approx(value, abs=1e-12)
    total = sum(row[1] for row in rows)
    touched = sum(row[1] for row in rows if row[0])
    if touched:
        assert sum(row["conversions"] for row in found.values()) == pytest.approx(total, abs=1e-10)
        if sum(row[3] for row in rows) == 0 or worth == "conversions":
            revenue = sum(row["revenue"] for row in found.values())
            used = sum(x for p, n, x, _ in rows if p or total > touched)
            assert revenue == pytest.approx(used, abs=1e-10)


def test_a_path_is_shared_by_its_different_channels(con):
    found = shapley(con, [(["A", "B", "A"], 6, 60, 0), (["B"], 4, 10, 0), ([], 2, 5, 0)])
    assert {c: row["conversions"] for c, row in found.items()} == {"A": 3, "B": 7, None: 2}
    assert {c: row["revenue"] for c, row in found.items()} == {"A": 30, "B": 40, None: 5}
    assert found["B"]["share"] == 0.7


def test_rate_by_hand(con):
    # v(search) = 2/20, v(email) = 1/10, v(both) = 9/50: each adds 0.1 to nobody and 0.08 to the other
    rows = [(["search", "email"], 6, 0, 14), (["search"], 2, 0, 18), (["email"], 1, 0, 9)]
    found = shapley(con, rows, "rate")
    assert {c: row["shapley_value"] for c, row in found.items()} == pytest.approx(
        {"search": 0.09, "email": 0.09}
    )
    assert found["email"]["conversions"] == pytest.approx(4.5)


def test_many_channels(con):
    many = (
        "(select list_transform(range(1, i + 1), lambda c: ''c'' || c) as p from range(1, {}) t(i))"
    )
    call = "select count(*), sum(conversions) from ml.shapley_attribution('{}', 'p', worth := '{}')"
    assert con.execute(call.format(many.format(41), "conversions")).fetchall() == [
        (40, pytest.approx(40))
    ]
    assert con.execute(call.format(many.format(11), "rate")).fetchall() == [(10, pytest.approx(10))]
    with pytest.raises(
        duckdb.Error,
        match="there are 16 channels; worth := 'rate' sums over all sets of at most 15",
    ):
        con.execute(call.format(many.format(17), "rate")).fetchall()


def test_thin_and_wrong_data(con):
    assert shapley(con, []) == {}
    assert shapley(con, [(["A"], 0, 0, 5)], "rate")["A"]["share"] is None
    # a value without a conversion is still that of the path
    assert [row["revenue"] for row in shapley(con, [(["A", "B"], 0, 6, 5)]).values()] == [3, 3]
    assert shapley(con, [([], 3, 0, 5)]) == {
        None: {
            "channel": None,
            "conversions": 3,
            "share": None,
            "revenue": 0,
            "shapley_value": None,
        }
    }
    with pytest.raises(
        duckdb.Error, match="ml.shapley_attribution: worth is 'value'; accepted are"
    ):
        shapley(con, [(["A"], 1, 0, 5)], "value")

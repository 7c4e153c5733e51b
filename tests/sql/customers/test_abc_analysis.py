"""ABC classes at their thresholds, with ties and with negative amounts."""

from __future__ import annotations

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.sql.calls import dicts, load, options


def abc(con, rows, **given):
    load(con, "sold", '"the item" varchar, x double', rows)
    return dicts(con.execute(f"from ml.abc_analysis('sold', 'the item', 'x'{options(given)})"))


def test_an_item_that_crosses_a_threshold_is_in_the_class_before_it(con):
    rows = [("a", 50), ("b", 20), ("c", 20), ("d", 6), ("e", 3), ("f", 1)]
    found = abc(con, rows)
    # before c there are 70 % (b and c are equal, so before both 50 %), before d 90 %, before e 96 %
    assert [row["class"] for row in found] == ["A", "A", "A", "B", "C", "C"]
    assert [row["rank"] for row in found] == [1, 2, 2, 4, 5, 6]
    assert [row["cumulative_share"] for row in found] == [0.5, 0.9, 0.9, 0.96, 0.99, 1]
    assert found[1]["share_of_items"] == found[2]["share_of_items"] == 0.5
    strict = abc(con, rows, a=0.5, b=0.9)
    assert [row["class"] for row in strict] == ["A", "B", "B", "C", "C", "C"]
    # 0.7 + 0.1 is below 0.8 in doubles
    edge = abc(con, [("a", 0.7), ("b", 0.1), ("c", 0.1), ("d", 0.1)])
    assert [row["class"] for row in edge] == ["A", "A", "A", "A"]
    edge = abc(con, [("a", 0.7), ("b", 0.1), ("c", 0.09), ("d", 0.11)])
    assert [row["class"] for row in edge] == ["A", "A", "B", "B"]


def test_sums_that_are_equal_but_for_roundings(con):
    # 0.1 + 0.2 + 0.3 is above 0.6 in doubles, 0.3 + 0.2 + 0.1 is not, and 0.1 + 0.2 - 0.3 is above 0
    rows = [("a", x) for x in (0.1, 0.2, 0.3)] + [("b", x) for x in (0.3, 0.2, 0.1)]
    rows += [("c", x) for x in (0.1, 0.2, -0.3)]
    found = abc(con, rows, a=0.3)
    assert [(row["rank"], row["class"]) for row in found] == [(1, "A"), (1, "A"), (3, "C")]


def test_negative_and_missing_amounts(con):
    rows = [("a", 80), ("b", 20), ("b", None), ("c", -10), ("d", "nan"), (None, 0), ("a", 20)]
    found = {row["item_id"]: row for row in abc(con, rows)}
    assert found["a"]["share"] == pytest.approx(100 / 120)
    assert (found["b"]["n"], found["b"]["amount"], found["b"]["class"]) == (2, 20, "B")
    assert found["c"]["share"] == pytest.approx(-10 / 120)
    assert {found[item]["class"] for item in ("c", "d", None)} == {"C"}
    assert found["d"]["amount"] == 0
    nothing = abc(con, [("a", 0), ("b", -1)])
    assert [(row["share"], row["cumulative_share"], row["class"]) for row in nothing] == [
        (None, None, "C")
    ] * 2
    assert abc(con, []) == []


def test_wrong_thresholds_are_an_error(con):
    with pytest.raises(
        duckdb.Error, match="ml.abc_analysis: a is 0.9.* and b is 0.5.*0 < a <= b <= 1"
    ):
        abc(con, [("a", 1)], a=0.9, b=0.5)


@settings(deadline=None, max_examples=15)
@given(st.lists(st.integers(1, 9), min_size=1, max_size=20))
def test_shares_sum_to_one_and_equals_are_alike(con, amounts):
    found = abc(con, [(f"i{i}", amount) for i, amount in enumerate(amounts)])
    assert sum(row["share"] for row in found) == pytest.approx(1, abs=1e-14)  # 20 roundings
    assert found[0]["class"] == "A"
    classes = {}
    for row in found:
        assert classes.setdefault(row["amount"], row["class"]) == row["class"]
    assert [row["class"] for row in found] == sorted(row["class"] for row in found)

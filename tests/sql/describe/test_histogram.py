"""Bins and counts, against numpy.histogram."""

from __future__ import annotations

import duckdb
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.conftest import rows

RULES = {
    "sturges": "sturges", "freedman-diaconis": "fd", "doane": "doane", "scott": "scott",
    "sqrt": "sqrt", "auto": "auto",
}  # fmt: skip


def histogram(con, bins):
    return con.execute("from ml.histogram('t', 'x', bins := ?)", [bins]).fetchnumpy()


def check(con, x, bins, found):
    counts, edges = np.histogram(x, RULES.get(bins, bins))
    assert found["n"].tolist() == counts.tolist()
    assert found["bin"].tolist() == list(range(1, len(counts) + 1))
    # edges are first + i · step in both
    assert found["bin_lower"] == pytest.approx(edges[:-1], rel=1e-15, abs=1e-15)
    assert found["bin_upper"] == pytest.approx(edges[1:], rel=1e-15, abs=1e-15)
    assert found["share"].sum() == pytest.approx(1, rel=1e-14)
    # the widths of narrow bins far from zero lose digits to their edges
    assert found["density"] == pytest.approx(np.histogram(x, edges, density=True)[0], rel=1e-9)


FLOATS = st.lists(
    st.one_of(st.floats(-1000, 1000).map(lambda v: round(v, 3)), st.sampled_from([0.1, 0.2, 0.3])),
    min_size=1, max_size=60,
)  # fmt: skip


@pytest.mark.parametrize("rule", [*RULES, "7"])
@given(values=FLOATS)
@settings(max_examples=8)
def test_agrees_with_numpy(con, column, rule, values):
    column(values)
    check(con, np.array(values), int(rule) if rule == "7" else rule, histogram(con, rule))


@pytest.mark.parametrize("rule", [*RULES, "7"])
@given(values=st.lists(st.integers(-20, 20), min_size=1, max_size=60))
@settings(max_examples=6)
def test_whole_numbers_are_not_cut_finer_than_one(con, column, rule, values):
    column(values, "integer")
    check(con, np.array(values), int(rule) if rule == "7" else rule, histogram(con, rule))


def test_a_large_sample_of_each_rule(con):
    con.execute(
        "create or replace table t as select ml.exponential_random(1, i) as x from range(20000) r(i)"
    )
    x = con.execute("select x from t").fetchnumpy()["x"]
    for rule in RULES:
        check(con, x, rule, histogram(con, rule))


def test_a_number_may_be_given_as_a_number(pond, column):
    column([0, 1, 2, 3])
    found = rows(pond, "select n from ml.histogram('t', 'x', bins := 2)")
    assert found == [(2,), (2,)]


def test_missing_values_are_counted_and_none_gives_no_row(pond, con, column):
    column([1, None, "nan", 2])
    assert rows(pond, "select sum(n), any_value(n_missing) from ml.histogram('t', 'x')") == [(2, 2)]
    column([None, None])
    assert rows(pond, "from ml.histogram('t', 'x')") == []
    column([])
    assert rows(pond, "from ml.histogram('t', 'x')") == []


@pytest.mark.parametrize("bins", ["fd", "0", "-3", "2.5x"])
def test_unknown_bins_are_an_error(con, column, bins):
    column([1, 2, 3])
    with pytest.raises(duckdb.Error, match=f"bins is {bins}; it must be a whole number .* or one"):
        histogram(con, bins)


def test_infinite_values_and_too_many_bins_are_errors(con, column):
    column([1, "inf"])
    with pytest.raises(duckdb.Error, match="the column holds an infinite value"):
        histogram(con, "sqrt")
    column([*range(100), 1e12])
    with pytest.raises(duckdb.Error, match="bins; 1,000,000 are accepted"):
        histogram(con, "freedman-diaconis")

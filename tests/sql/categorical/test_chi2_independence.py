from __future__ import annotations

import math

import duckdb
import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from pytest import approx
from scipy import stats

from tests.sql.grouped import of_kind, one, tabulate

CELLS = "from ml.chi2_independence('cells', 'a', 'b', weight := 'n')"
tables = st.tuples(st.integers(2, 5), st.integers(2, 5)).flatmap(
    lambda shape: st.lists(
        st.lists(st.integers(0, 200), min_size=shape[1], max_size=shape[1]),
        min_size=shape[0],
        max_size=shape[0],
    )
)


def whole(table):
    """Whether every row and column has observations."""
    return (np.sum(table, 0) > 0).all() and (np.sum(table, 1) > 0).all()


def test_party(con):
    row = one(
        con, "from ml.chi2_independence('textbook.party', 'gender', 'party', weight := 'n_people')"
    )
    # Agresti (2007), page 38, and R: chisq.test; scipy's further digits
    assert row["statistic"] == approx(30.070149095754672, rel=1e-13)
    assert row["p_value"] == approx(2.9535891832117595e-07, rel=1e-12)
    assert row["log10_p_value"] == approx(math.log10(row["p_value"]), rel=1e-12)
    assert row["effect_size"] == approx(0.1044358024, rel=1e-9)  # ten digits given
    assert (row["df"], row["n"]) == (2, 2757)
    row = one(
        con,
        "from ml.chi2_independence('textbook.party', 'gender', 'party', weight := 'n_people', method := 'g')",
    )
    assert row["statistic"] == approx(30.016692613, rel=1e-10)  # eleven digits given


@pytest.mark.parametrize("method", ["pearson", "g"])
@pytest.mark.parametrize("correction", [True, False])
@given(table=tables)
def test_agrees_with_scipy(con, method, correction, table):
    assume(whole(table))
    tabulate(con, table)
    row = one(con, CELLS.replace("'n')", f"'n', method := '{method}', correction := {correction})"))
    name = {"pearson": "pearson", "g": "log-likelihood"}[method]
    expected = stats.chi2_contingency(table, correction=correction, lambda_=name)
    # a statistic near 0 is the sum of what rounding left in expected counts of 100
    assert row["statistic"] == approx(expected.statistic, rel=1e-10, abs=1e-11)
    assert row["df"] == expected.dof
    # of our statistic: with one degree, near 0 a rounding of scipy's would move p by its root
    p = stats.chi2.sf(row["statistic"], row["df"])
    assert row["p_value"] == approx(p, rel=1e-11, abs=1e-300)
    assert row["min_expected"] == approx(expected.expected_freq.min(), rel=1e-13)
    assert row["effect_size"] == approx(
        stats.contingency.association(np.array(table)), rel=1e-9, abs=1e-7
    )


def test_the_correction_stops_at_what_is_expected(con):
    table = [[10, 10], [10, 11]]  # the expected counts are 0.24 away
    tabulate(con, table)
    row, expected = one(con, CELLS), stats.chi2_contingency(table)
    assert (row["statistic"], row["p_value"]) == (expected.statistic, expected.pvalue) == (0, 1)


def test_corrected_cramers_v(con):
    table = [[10, 20, 30], [25, 5, 5]]
    tabulate(con, table)
    # Bergsma (2013), written out
    n, (r, c) = np.sum(table), np.shape(table)
    phi2 = stats.chi2_contingency(table).statistic / n
    reduced = max(0, phi2 - (r - 1) * (c - 1) / (n - 1))
    least = min(r - (r - 1) ** 2 / (n - 1), c - (c - 1) ** 2 / (n - 1))
    assert one(con, CELLS)["cramers_v_corrected"] == approx(
        math.sqrt(reduced / (least - 1)), rel=1e-13
    )


def test_rows_of_people_count_as_cells_do(con):
    table = [[3, 1, 0], [1, 3, 7]]
    tabulate(con, table)
    people = "(select a, b from cells, range(100) as t(i) where i < n)"
    # counted one by one or added up: the same whole numbers
    assert one(con, CELLS.replace("'cells'", f"'{people}'").replace(", weight := 'n'", "")) == one(
        con, CELLS
    )


def test_a_level_that_never_occurs_is_no_level(con):
    tabulate(con, [[3, 1, 0], [1, 3, 0]])
    with_zeros = one(con, CELLS)
    tabulate(con, [[3, 1], [1, 3]])
    assert with_zeros == one(con, CELLS)


def test_many_levels_need_no_full_table(con):
    # 100,000 by 100,000 levels on the diagonal and next to it: 10 billion cells, 200,000 of them filled
    pairs = "(select i // 2 as a, (i + 1) // 2 as b from range(200000) as t(i))"
    row = one(con, f"from ml.chi2_independence('{pairs}', 'a', 'b')")
    # every row has two observations, every column too but the first and the last, which have one:
    # chi-square = n (sum of n_ij² / (n_i n_j) - 1) with 199,998 terms of 1/4 and two of 1/2
    assert row["statistic"] == approx(200000 * (199998 / 4 + 2 / 2 - 1), rel=1e-10)


def test_missing_values_are_counted(con):
    con.execute(
        "create or replace table answers as from (values ('a', 'x', 3), ('b', 'y', 5), (null, 'x', 2), ('a', null, 4), ('b', 'x', null), ('a', 'y', 1)) as t(a, b, n)"
    )
    row = one(
        con, "from ml.chi2_independence('answers', 'a', 'b', weight := 'n', correction := false)"
    )
    assert (row["n"], row["n_missing"]) == (9, 7)
    assert row["statistic"] == approx(
        stats.chi2_contingency([[3, 1], [0, 5]], correction=False).statistic, rel=1e-12
    )
    row = one(con, "from ml.chi2_independence('answers', 'a', 'b')")
    assert (row["n"], row["n_missing"]) == (4, 2)


@pytest.mark.parametrize(
    "table",
    [[], [[5, 3]], [[5], [3]], [[0, 0], [0, 0]]],
    ids=["empty", "one row", "one column", "zeros"],
)
def test_thin_data_give_null(con, table):
    tabulate(con, table or [[0.0]])
    row = one(con, CELLS if table else CELLS.replace("'cells'", "'(from cells where false)'"))
    for field in (
        "statistic",
        "df",
        "p_value",
        "log10_p_value",
        "effect_size",
        "cramers_v_corrected",
        "min_expected",
    ):
        assert row[field] is None
    assert list(row)[:11] == list(of_kind("t"))


@pytest.mark.parametrize(
    "call, message",
    [("'a', 'b', method := 'x'", "ml.chi2_independence: method is 'x'; accepted are 'pearson' and 'g'"),
     ("'a', 'b', weight := 'negative'", "weight is -1.0; a count must not be negative")],
)  # fmt: skip
def test_bad_parameters_are_named(con, call, message):
    tabulate(con, [[3, 1], [1, 3]])
    with pytest.raises(duckdb.Error, match=message):
        one(con, f"from ml.chi2_independence('(select *, -1 as negative from cells)', {call})")


def test_a_column_may_have_any_name(con):
    tabulate(con, [[3, 1], [1, 3]])
    plain = one(con, CELLS)
    for name in ("NULL", "it''s", 'a"b', "$c$ and $"):
        quoted = name.replace("''", "'").replace('"', '""')
        con.execute(f'create or replace table odd as select a, b, n as "{quoted}" from cells')
        assert one(con, f"from ml.chi2_independence('odd', 'a', 'b', weight := '{name}')") == plain

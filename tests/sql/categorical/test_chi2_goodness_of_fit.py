from __future__ import annotations

import duckdb
import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from pytest import approx
from scipy import stats

from tests.sql.grouped import of_kind, one

SHARES = "from ml.chi2_goodness_of_fit('counts', 'k', expected_share := 'share', weight := 'n')"


def load(con, counts, shares):
    con.execute("create or replace table counts (k varchar, n double, share double)")
    rows = [(f"k{i}", n, s) for i, (n, s) in enumerate(zip(counts, shares, strict=True))]
    if rows:
        con.executemany("insert into counts values (?, ?, ?)", rows)


def test_ratio_of_a_split(con):
    # Kohavi, Tang & Xu (2020), Trustworthy online controlled experiments, chapter 21: p = 1.8e-6
    load(con, [821588, 815482], [1, 1])
    row = one(con, SHARES)
    assert row["statistic"] == approx(22.7743688419, rel=1e-11)  # twelve digits given
    assert row["p_value"] == approx(1.8217928726e-6, rel=1e-10)  # eleven digits given
    assert row["df"] == 1


@pytest.mark.parametrize("method", ["pearson", "g"])
@given(data=st.lists(st.tuples(st.integers(0, 500), st.integers(1, 40)), min_size=2, max_size=12))
def test_agrees_with_scipy(con, method, data):
    counts, shares = map(np.array, zip(*data, strict=True))
    assume(counts.sum() > 0)
    load(con, counts.tolist(), shares.tolist())
    row = one(con, SHARES.replace("'n')", f"'n', method := '{method}')"))
    name = {"pearson": "pearson", "g": "log-likelihood"}[method]
    expected = stats.power_divergence(counts, counts.sum() * shares / shares.sum(), lambda_=name)
    # near 0 rounding of the expected counts remains; the G statistic cancels the more
    assert row["statistic"] == approx(expected.statistic, rel=1e-10, abs=1e-10)
    # of our statistic: with one degree, near 0 a rounding of scipy's would move p by its root
    p = stats.chi2.sf(row["statistic"], len(data) - 1)
    assert row["p_value"] == approx(p, rel=1e-11, abs=1e-300)
    assert row["n"] == counts.sum()


def test_shares_alike_need_no_column(con):
    row = one(con, "from ml.chi2_goodness_of_fit('penguins', 'island')")
    counts = [r[0] for r in con.execute("select count(*) from penguins group by island").fetchall()]
    expected = stats.chisquare(counts)
    assert row["statistic"] == approx(expected.statistic, rel=1e-13)
    assert row["p_value"] == approx(expected.pvalue, rel=1e-12)
    assert row["effect_size"] == approx(np.sqrt(expected.statistic / 344), rel=1e-13)


def test_proportional_shares_are_the_same(con):
    load(con, [10, 20, 5], [0.2, 0.5, 0.3])
    before = one(con, SHARES)
    load(con, [10, 20, 5], [4, 10, 6])
    after = one(con, SHARES)
    for field, value in before.items():  # shares of 0.2 are rounded
        assert after[field] == (None if value is None else approx(value, rel=1e-13))


def test_a_category_that_never_occurred(con):
    load(con, [3, 5, 0], [0.2, 0.3, 0.5])
    assert one(con, SHARES)["statistic"] == approx(
        stats.chisquare([3, 5, 0], [1.6, 2.4, 4]).statistic, rel=1e-13
    )
    load(con, [3, 5, 0], [0.4, 0.6, 0])  # and never will
    assert one(con, SHARES)["df"] == 1


def test_missing_values_are_counted(con):
    load(con, [3, None, 5, 7], [1, 1, 1, 1])
    con.execute("insert into counts values (null, 4, 1), (null, null, 1)")
    row = one(con, SHARES)
    assert (row["n"], row["n_missing"], row["df"]) == (15, 6, 3)


@pytest.mark.parametrize("counts", [[], [5], [0, 0]], ids=["empty", "one category", "zeros"])
def test_thin_data_give_null(con, counts):
    load(con, counts, [1] * len(counts))
    row = one(con, SHARES)
    for field in ("statistic", "df", "p_value", "log10_p_value", "effect_size", "min_expected"):
        assert row[field] is None
    assert list(row)[:11] == list(of_kind("t"))


@pytest.mark.parametrize(
    "counts, shares, message",
    [([3, 5], [1, 0], "category k1 has observations and an expected share of 0"),
     ([3, 5], [1, -1], "expected_share is -1.0; it must be a finite number"),
     ([3, 5], [1, None], "expected_share of category k1 is not one number"),
     ([3, -5], [1, 1], "weight is -5.0")],
)  # fmt: skip
def test_bad_numbers_are_named(con, counts, shares, message):
    load(con, counts, shares)
    with pytest.raises(duckdb.Error, match=message):
        one(con, SHARES)


def test_a_wrong_method_is_named(con):
    with pytest.raises(duckdb.Error, match="method is 'x'"):
        one(con, "from ml.chi2_goodness_of_fit('penguins', 'island', method := 'x')")

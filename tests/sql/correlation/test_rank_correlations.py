"""Spearman's and Kendall's tests against scipy and enumeration."""

from __future__ import annotations

import math

import duckdb
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pytest import approx
from scipy import stats

from tests.sql.ranks.samples import columns, is_unknown, normal, record

PAIRS = st.lists(st.tuples(st.integers(-5, 5), st.integers(-5, 5)), min_size=3, max_size=150)
ALTERNATIVES = st.sampled_from(["two-sided", "less", "greater"])


def spearman(con, options=""):
    return record(con, f"from ml.spearman_test('t', 'x', 'y'{options})")


def kendall(con, options=""):
    return record(con, f"from ml.kendall_test('t', 'x', 'y'{options})")


@given(pairs=PAIRS, alternative=ALTERNATIVES)
def test_agree_with_scipy(con, pairs, alternative):
    x, y = zip(*pairs, strict=True)
    columns(con, x=x, y=y)
    option = f", alternative := '{alternative}'"
    rho, tau = spearman(con, option), kendall(con, option + ", method := 'normal'")
    if len(set(x)) == 1 or len(set(y)) == 1:
        assert rho["estimate"] is None
        assert tau["estimate"] is None
        return
    expected = stats.spearmanr(x, y, alternative=alternative)
    assert rho["estimate"] == approx(expected.statistic, rel=1e-12, abs=1e-13)
    # p of our rho, which is ±1 where it should be: scipy's may be a rounding off, and with three
    # rows p falls from it as its root
    r, df = rho["estimate"], rho["df"]
    t = r * math.sqrt(df / ((1 - r) * (1 + r))) if abs(r) < 1 else r * math.inf
    less, greater = stats.t.cdf(t, df), stats.t.sf(t, df)
    p = {"two-sided": 2 * min(less, greater), "less": less, "greater": greater}
    assert rho["statistic"] == approx(t, rel=1e-12)
    assert rho["p_value"] == approx(p[alternative], rel=1e-10)
    expected = stats.kendalltau(x, y, alternative=alternative, method="asymptotic")
    assert tau["estimate"] == approx(expected.statistic, rel=1e-12, abs=1e-13)
    assert tau["p_value"] == approx(expected.pvalue, rel=1e-11)


@given(
    seed=st.integers(0, 10_000),
    n=st.integers(2, 33),
    slope=st.floats(-2, 2),
    alternative=ALTERNATIVES,
)
def test_exact_kendall_agrees_with_scipy(con, seed, n, slope, alternative):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=n)
    y = slope * x + rng.normal(size=n)
    columns(con, x=x, y=y)
    row = kendall(con, f", alternative := '{alternative}'")
    assert row["method"] == "exact"
    expected = stats.kendalltau(x, y, alternative=alternative, method="exact")
    assert row["p_value"] == approx(expected.pvalue, rel=1e-11)  # sums of up to 264 positive terms


@pytest.mark.parametrize("n, digits", [(5_000, 8), (70_000, 2), (70_000, 8)])
def test_kendall_of_many_rows_agrees_with_scipy(con, n, digits):
    x = normal(1, n).round(digits)
    y = (0.01 * x + normal(2, n)).round(digits)
    columns(con, x=x, y=y)
    row = kendall(con)
    expected = stats.kendalltau(x, y)
    assert row["estimate"] == approx(expected.statistic, rel=1e-12)  # counts are whole numbers
    assert row["p_value"] == approx(expected.pvalue, rel=1e-10)


@given(pairs=PAIRS)
def test_swapping_and_mirroring(con, pairs):
    x, y = zip(*pairs, strict=True)
    columns(con, x=x, y=y)
    one = spearman(con), kendall(con)
    columns(con, x=y, y=[-v for v in x])
    other = spearman(con), kendall(con)
    for a, b in zip(one, other, strict=True):
        if a["estimate"] is not None:
            assert a["estimate"] == approx(-b["estimate"], rel=1e-12, abs=1e-15)
            assert a["p_value"] == approx(b["p_value"], rel=1e-9, abs=1e-15)


def test_intervals(con):
    x = normal(1, 50)
    y = x + normal(2, 50)
    columns(con, x=x, y=y)
    for row, error in (
        (spearman(con), lambda r: math.sqrt((1 + r * r / 2) / 47)),
        (kendall(con), lambda r: math.sqrt(0.437 / 46)),
    ):
        r = row["estimate"]
        z = stats.norm.ppf(0.975) * error(r)
        expected = math.tanh(math.atanh(r) - z), math.tanh(math.atanh(r) + z)
        assert (row["ci_lower"], row["ci_upper"]) == approx(expected, rel=1e-12)
    assert kendall(con, ", alternative := 'greater'")["ci_upper"] == 1.0


def test_a_perfect_order(con):
    columns(con, x=range(10), y=[v * v for v in range(10)])
    row = spearman(con)
    assert (row["estimate"], row["statistic"], row["p_value"]) == (1.0, math.inf, 0.0)
    row = kendall(con)
    assert row["estimate"] == approx(1.0, abs=1e-15)
    assert row["p_value"] == approx(2 / math.factorial(10), rel=1e-13)


def test_thin_data_and_missing(con):
    columns(con, x=[1.0, None, 3.0], y=[None, 2.0, math.nan])
    for row in (spearman(con), kendall(con)):
        assert is_unknown(row)
        assert (row["n"], row["n_missing"]) == (0, 3)
    columns(con, x=[1.0, 2.0], y=[2.0, 1.0])
    assert (spearman(con)["estimate"], spearman(con)["p_value"]) == (-1.0, None)


def test_wrong_parameters_are_errors(con):
    columns(con, x=[1.0, 1.0, 2.0], y=[1.0, 2.0, 3.0])
    with pytest.raises(duckdb.Error, match="method is exact, but there are 3 rows with ties"):
        kendall(con, ", method := 'exact'")
    with pytest.raises(duckdb.Error, match="alternative is 'up'"):
        spearman(con, ", alternative := 'up'")

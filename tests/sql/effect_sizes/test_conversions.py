"""Effect sizes from other numbers: definitions, inverses, and bad arguments."""

from __future__ import annotations

import math

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pytest import approx
from scipy import stats
from statsmodels.stats.proportion import proportion_effectsize


def value(con, call):
    return con.execute(f"select ml.{call}").fetchall()[0][0]


@given(p=st.floats(0, 1), q=st.floats(0, 1))
def test_cohens_h_agrees_with_statsmodels(con, p, q):
    expected = float(proportion_effectsize(p, q))
    assert value(con, f"cohens_h({p!r}::double, {q!r}::double)") == approx(expected, abs=1e-15)


def test_r_from_t_is_the_correlation_of_the_test(con):
    x, y = [1.0, 2.0, 4.0, 7.0, 8.0], [2.0, 1.0, 5.0, 4.0, 9.0]
    r = float(stats.pearsonr(x, y).statistic)
    t = r * math.sqrt(3 / (1 - r * r))
    assert value(con, f"r_from_t({t!r}::double, 3)") == approx(r, rel=1e-14)


def test_d_from_t_is_that_of_the_sample(con):
    a, b = [1.0, 2.0, 4.0], [0.0, 1.0, 1.5, 3.0]
    t = float(stats.ttest_ind(a, b).statistic)
    found = value(con, f"d_from_t({t!r}::double, 3, 4)")
    assert found == approx(t * math.sqrt(1 / 3 + 1 / 4), rel=1e-15)


@given(d=st.floats(-5, 5), n=st.integers(1, 99), m=st.integers(1, 99))
def test_r_and_d_are_inverses(con, d, n, m):
    found = value(con, f"d_from_r(ml.r_from_d({d!r}::double, {n}, {m}), {n}, {m})")
    assert found == approx(d, rel=1e-12, abs=1e-14)  # 1 - r² can lose two digits
    assert value(con, f"r_from_d({d!r}::double)") == approx(d / math.sqrt(d * d + 4), abs=1e-15)


@pytest.mark.parametrize(
    "call, message",
    [
        ("cohens_h(1.2, 0.5)", "p_treatment is 1.2; it must lie in"),
        ("r_from_t(2, 0)", "df is 0"),
        ("d_from_t(2, 0, 3)", "n_treatment is 0"),
        ("d_from_r(1)", "r is 1; it must lie between -1 and 1"),
    ],
)
def test_bad_arguments_are_errors(con, call, message):
    with pytest.raises(duckdb.Error, match=message):
        value(con, call)


def test_null_gives_null(con):
    assert value(con, "cohens_h(NULL, 0.5)") is None
    assert value(con, "r_from_t(NULL, 3)") is None
    assert value(con, "d_from_r(NULL)") is None

"""Tests of variances against the distributions of scipy."""

from __future__ import annotations

import math

import duckdb
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from pytest import approx
from scipy import stats

import mlpond
from mlpond.seeds import load
from tests.sql.aggregates import FIELDS, arms, samples, struct

F_FIELDS = [name for f in FIELDS for name in (["df_between", "df_within"] if f == "df" else [f])]
ALTERNATIVES = ("two-sided", "less", "greater")
# tails of F and chi-square are good to 1e-13; two divisions by variances of up to 25 squares
TOLERANCE = 1e-10


@pytest.fixture(scope="module")
def con():
    with mlpond.connect() as session:
        load(session, "textbook")
        yield session.con


def expected_p(distribution, x, alternative):
    tails = {"less": distribution.cdf(x), "greater": distribution.sf(x)}
    return tails.get(alternative, min(1.0, 2 * min(tails.values())))


@pytest.mark.parametrize("alternative", ALTERNATIVES)
@given(a=samples, b=samples)
@settings(max_examples=8)
def test_the_ratio_agrees_with_f(con, alternative, a, b):
    found = struct(con, f"variance_test(x, treated, alternative := '{alternative}')", **arms(a, b))
    ratio = np.var(a, ddof=1) / np.var(b, ddof=1)
    f = stats.f(len(a) - 1, len(b) - 1)
    tail = 0.025 if alternative == "two-sided" else 0.05
    assert list(found) == F_FIELDS
    assert found["statistic"] == found["estimate"] == approx(ratio, rel=1e-12)
    assert (found["df_between"], found["df_within"]) == (len(a) - 1, len(b) - 1)
    p = expected_p(f, ratio, alternative)
    assert found["p_value"] == approx(p, rel=TOLERANCE)
    assert found["log10_p_value"] == approx(math.log10(p), rel=TOLERANCE, abs=1e-12)
    low = 0 if alternative == "less" else ratio / f.ppf(1 - tail)
    high = math.inf if alternative == "greater" else ratio / f.ppf(tail)
    assert (found["ci_lower"], found["ci_upper"]) == approx((low, high), rel=TOLERANCE)
    assert found["effect_size"] == approx(math.log(ratio) / 2, rel=1e-12, abs=1e-14)


@pytest.mark.parametrize("alternative", ALTERNATIVES)
@given(a=samples)
@settings(max_examples=8)
def test_one_variance_agrees_with_chi_square(con, alternative, a):
    found = struct(con, f"chi2_variance_test(x, 9, alternative := '{alternative}')", x=a)
    df, variance = len(a) - 1, np.var(a, ddof=1)
    chi2 = stats.chi2(df)
    tail = 0.025 if alternative == "two-sided" else 0.05
    assert list(found) == FIELDS
    assert found["statistic"] == approx(df * variance / 9, rel=1e-12)
    assert found["p_value"] == approx(
        expected_p(chi2, df * variance / 9, alternative), rel=TOLERANCE
    )
    low = 0 if alternative == "less" else df * variance / chi2.ppf(1 - tail)
    high = math.inf if alternative == "greater" else df * variance / chi2.ppf(tail)
    assert (found["ci_lower"], found["ci_upper"]) == approx((low, high), rel=TOLERANCE)


def test_the_extra_sleep_of_two_drugs(con):
    # R: var.test(extra ~ group, data = sleep): F = 0.79834, df 9 and 9, p-value = 0.7427,
    # interval 0.198297 to 3.214123
    found = con.execute(
        "select ml.variance_test(extra_hours, drug = 'dextro') from textbook.sleep"
    ).fetchall()[0][0]
    assert found["statistic"] == approx(0.79834, abs=5e-6)
    assert found["p_value"] == approx(0.7427, abs=5e-5)
    assert (found["ci_lower"], found["ci_upper"]) == approx((0.198297, 3.214123), abs=5e-7)


@given(a=samples, b=samples)
@settings(max_examples=8)
def test_turning_the_arms_inverts_the_ratio(con, a, b):
    one = struct(con, "variance_test(x, treated)", **arms(a, b))
    other = struct(con, "variance_test(x, treated)", **arms(b, a))
    assert one["estimate"] * other["estimate"] == approx(1, rel=1e-14)
    assert one["p_value"] == approx(other["p_value"], rel=1e-12)
    assert one["ci_lower"] == approx(1 / other["ci_upper"], rel=1e-11)


@pytest.mark.parametrize("x", [[], [1.0], [None, None], [2.0, 2.0, 2.0, 2.0]])
def test_thin_data_gives_null(con, x):
    treated = pa.array([i % 2 == 0 for i in range(len(x))], pa.bool_())
    x = pa.array(x, pa.float64())
    for call in ("variance_test(x, treated)", "chi2_variance_test(x, 1)"):
        found = struct(con, call, x=x, treated=treated)
        assert (found["statistic"], found["p_value"], found["ci_upper"]) == (None, None, None)


@pytest.mark.parametrize("variance", ["0", "-1", "NULL"])
def test_a_bad_variance_is_an_error(con, variance):
    with pytest.raises(duckdb.Error, match="chi2_variance_test: variance is"):
        struct(con, f"chi2_variance_test(x, {variance})", x=[1.0, 2.0])

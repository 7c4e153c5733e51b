"""Intervals of means, variances, correlations and medians against scipy."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from pytest import approx
from scipy import stats

from tests.sql.aggregates import arms, samples, struct

INTERVAL = ["estimate", "standard_error", "ci_lower", "ci_upper", "n", "n_missing"]
# scipy's quantiles are good to 1e-12; subtracting from the estimate may cost two digits
TOLERANCE = {"rel": 1e-10, "abs": 1e-12}


def ends(found):
    return found["ci_lower"], found["ci_upper"]


@given(a=samples, b=samples)
def test_means_agree_with_scipy(con, a, b):
    found = struct(con, "mean_interval(x, confidence_level := 0.9)", x=a)
    assert list(found) == INTERVAL
    expected = stats.ttest_1samp(a, 0).confidence_interval(0.9)
    assert ends(found) == approx(tuple(expected), **TOLERANCE)
    assert found["standard_error"] == approx(stats.sem(a), rel=1e-13)
    found = struct(con, "mean_difference_interval(x, treated)", **arms(a, b))
    expected = stats.ttest_ind(a, b, equal_var=False).confidence_interval(0.95)
    assert ends(found) == approx(tuple(expected), **TOLERANCE)


@given(a=samples)
def test_variances_agree_with_the_quantiles_of_chi_square(con, a):
    found = struct(con, "variance_interval(x)", x=a)
    df, variance = len(a) - 1, np.var(a, ddof=1)
    expected = [df * variance / stats.chi2.ppf(p, df) for p in (0.975, 0.025)]
    assert ends(found) == approx(tuple(expected), rel=1e-10)
    assert found["standard_error"] == approx(variance * (2 / df) ** 0.5, rel=1e-12)


def test_correlation_of_anscombes_first_set(con):
    x = [10, 8, 13, 9, 11, 14, 6, 4, 12, 7, 5]
    y = [8.04, 6.95, 7.58, 8.81, 8.33, 9.96, 7.24, 4.26, 10.84, 4.82, 5.68]
    found = struct(con, "correlation_interval(x, y)", x=x, y=y)
    assert found["estimate"] == approx(0.8164205163448, rel=1e-12)
    assert ends(found) == approx((0.4243912134, 0.9506932538), abs=5e-11)  # digits quoted


@given(a=samples)
def test_medians_agree_with_scipys_quantile_test(con, a):
    found = struct(con, "median_interval(x)", x=a)
    assert found["estimate"] == np.median(a)
    expected = stats.quantile_test(np.array(a), p=0.5).confidence_interval(0.95)
    if np.isnan(expected.low):
        assert ends(found) == (None, None)
    else:
        assert ends(found) == (expected.low, expected.high)
        ordered = stats.binom.ppf(0.025, len(a), 0.5)
        assert found["coverage"] == approx(1 - 2 * stats.binom.cdf(ordered - 1, len(a), 0.5))
        assert found["coverage"] >= 0.95


def test_missing_values_are_counted(con):
    x = pa.array([1.0, None, 3.0, float("nan"), 8.0, 4.0])
    for call in ("mean_interval(x)", "variance_interval(x)", "median_interval(x)",
                 "correlation_interval(x, 1 / x)"):  # fmt: skip
        found = struct(con, call, x=x)
        assert (found["n"], found["n_missing"]) == (4, 2)


@pytest.mark.parametrize("call", ["mean_interval(x)", "mean_difference_interval(x, x > 3)",
                                  "variance_interval(x)", "median_interval(x)",
                                  "correlation_interval(x, x)"])  # fmt: skip
@pytest.mark.parametrize("x", [[], [2.0], [None], [2.0, 2.0]])
def test_thin_data_gives_null(con, call, x):
    found = struct(con, call, x=pa.array(x, pa.float64()))
    assert (found["standard_error"], *ends(found)) == (None, None, None)

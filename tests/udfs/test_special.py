import numpy as np
import pytest
from scipy import special, stats

from mlpond.udfs.special import (
    erfcx,
    log_gamma,
    normal_quantile_two_sided,
    normal_two_sided,
    student_t_quantile_two_sided,
    student_t_two_sided,
)

approx = pytest.approx

T = np.array([0.0, 1e-3, 0.1, 0.5, 1.0, 1.7, 1.8, 2.0, 3.0, 5.0, 10.0, 37.0, 100.0, 1e5])


@pytest.mark.parametrize("df", [0.5, 1, 2, 3, 7.5, 29, 30, 79, 200, 1e3, 1e5, 5e6])
def test_t_tails_agree_with_scipy(df):
    expected = 2 * stats.t.sf(T, df)
    # exp(x) magnifies a rounding of x by |x|, up to 700 in the far tail: 700 · 2⁻⁵³ = 1e-13, and
    # scipy rounds as well
    assert student_t_two_sided(T, df) == approx(expected, rel=3e-13, abs=1e-300)
    assert student_t_two_sided(-T, df) == approx(expected, rel=3e-13, abs=1e-300)


def test_t_near_zero_agrees_with_the_closed_form():
    # df = 1 is the Cauchy distribution; scipy 1.17 is off by 3e-9 here
    t = np.array([1e-8, 1e-4, 0.5])
    assert student_t_two_sided(t, 1.0) == approx(1 - 2 / np.pi * np.arctan(t), rel=1e-14)


@pytest.mark.parametrize("df", [1, 2, 5, 29, 31, 1e4, 5e6])
@pytest.mark.parametrize("level", [0.5, 0.9, 0.95, 0.999])
def test_t_quantiles_agree_with_scipy(df, level):
    expected = stats.t.isf((1 - level) / 2, df)
    # 1 - level is rounded to 1e-16, and divided by as little as 0.001; the tail falls as t⁻¹ or
    # faster, so t is off by no larger share
    assert student_t_quantile_two_sided(level, df) == approx(expected, rel=1e-12)


def test_normal_agrees_with_scipy():
    # erfc and scipy's ndtr: a few units in the last place, magnified by z² / 2 in the tail
    assert normal_two_sided(T[:-2]) == approx(2 * stats.norm.sf(T[:-2]), rel=1e-12)
    assert normal_quantile_two_sided(0.95) == approx(stats.norm.ppf(0.975), rel=1e-14)


def test_what_is_unknown_stays_unknown():
    t = np.array([np.nan, np.inf, 1.0])
    assert student_t_two_sided(t, 5.0) == approx([np.nan, 0.0, 0.3632174676], nan_ok=True)
    assert np.isnan(student_t_two_sided(t, 0.0)).all()
    assert np.isnan(student_t_quantile_two_sided(0.95, 0.0))


def test_erfcx_agrees_with_scipy():
    x = np.r_[0.0, np.logspace(-10, 8, 3001), 0.46875, 4.0]
    # a dozen operations, and scipy's own rounding
    assert erfcx(x) == approx(special.erfcx(x), rel=3e-15)


def test_log_gamma_agrees_with_scipy():
    x = np.r_[np.logspace(-8, 12, 3001), 1.0, 2.0, 10.0]
    # its zeros at 1 and 2 are the difference of two numbers of size 13
    assert log_gamma(x) == approx(special.gammaln(x), rel=1e-14, abs=1e-14)

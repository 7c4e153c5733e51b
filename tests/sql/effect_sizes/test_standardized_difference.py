"""Cohen's d and its kin against pingouin, and their intervals against scipy's noncentral t."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from pytest import approx
from scipy import optimize, special, stats

from tests.sql.aggregates import arms, samples, struct

NAMES = ("cohens_d", "hedges_g", "glass_delta")


def standardized(name, a, b):
    """The definition: estimate, correction, degrees of freedom, root of 1/n + 1/m."""
    n, m = len(a), len(b)
    pooled = (n - 1) * np.var(a, ddof=1) + (m - 1) * np.var(b, ddof=1)
    sd = np.std(b, ddof=1) if name == "glass_delta" else math.sqrt(pooled / (n + m - 2))
    df = m - 1 if name == "glass_delta" else n + m - 2
    factor = 1.0
    if name == "hedges_g":
        factor = math.exp(special.gammaln(df / 2) - special.gammaln((df - 1) / 2)) / (
            math.sqrt(df / 2)
        )
    return (np.mean(a) - np.mean(b)) / sd, factor, df, math.sqrt(1 / n + 1 / m)


@pytest.mark.parametrize("name", NAMES)
@given(a=samples, b=samples)
@settings(max_examples=4)
def test_agrees_with_the_definition(con, name, a, b):
    found = struct(con, f"{name}(x, treated)", **arms(a, b))
    d, factor, df, root = standardized(name, a, b)
    assert found["estimate"] == approx(factor * d, rel=1e-11, abs=1e-13)
    spread = len(b) - 1 if name == "glass_delta" else len(a) + len(b)
    expected = factor * math.sqrt(root**2 + d * d / (2 * spread))
    assert found["standard_error"] == approx(expected, rel=1e-11)
    t = d / root
    for end, tail in (("ci_lower", 0.025), ("ci_upper", 0.975)):
        delta = found[end] / factor / root
        # scipy's noncentral t has about 1e-9 in these tails
        assert stats.nct.sf(t, df, delta) == approx(tail, rel=1e-6)


def test_pingouin_gives_the_same_estimates(con):
    pingouin = pytest.importorskip("pingouin")  # not among the dependencies of the tests
    rng = np.random.default_rng(7)
    a, b = rng.normal(1, 2, 30), rng.normal(0, 2, 22)
    found = struct(con, "cohens_d(x, treated)", **arms(a, b))
    assert found["estimate"] == approx(pingouin.compute_effsize(a, b, eftype="cohen"), rel=1e-12)
    found = struct(con, "hedges_g(x, treated)", **arms(a, b))
    # pingouin's correction 1 - 3 / (4 n - 9) is off by about 1 / (32 df²)
    assert found["estimate"] == approx(pingouin.compute_effsize(a, b, eftype="hedges"), rel=2e-5)


def test_the_interval_is_a_root_of_the_noncentral_t(con):
    a, b = [1.0, 3.0, 4.0, 6.0], [0.0, 1.0, 1.5, 2.0, 5.0]
    found = struct(con, "cohens_d(x, treated, confidence_level := 0.9)", **arms(a, b))
    d, _, df, root = standardized("cohens_d", a, b)
    low = optimize.brentq(lambda nc: stats.nct.sf(d / root, df, nc) - 0.05, -9, 9, xtol=1e-13)
    assert found["ci_lower"] == approx(low * root, rel=1e-8)


def test_turning_the_arms_turns_the_signs(con):
    a, b = [1.0, 3.0, 4.0, 6.0], [0.0, 1.0, 1.5, 2.0, 5.0]
    for name in ("cohens_d", "hedges_g"):
        one = struct(con, f"{name}(x, treated)", **arms(a, b))
        other = struct(con, f"{name}(x, treated)", **arms(b, a))
        assert one["estimate"] == approx(-other["estimate"], rel=1e-14)
        assert one["ci_lower"] == approx(-other["ci_upper"], rel=1e-11)


def test_the_correction_of_hedges(con):
    import mpmath as mp

    mp.mp.dps = 40
    for df in (2, 3, 18, 500, 10**6, 10**9):
        (value,) = con.execute("select ml.hedges_correction($1)", [df]).fetchall()[0]
        exact = mp.gamma(mp.mpf(df) / 2) / mp.sqrt(mp.mpf(df) / 2) / mp.gamma(mp.mpf(df - 1) / 2)
        # the logarithm of a beta function at 5e8 is near 10, and its rounding 1e-15
        assert value == approx(float(exact), rel=1e-13)
    assert con.execute("select ml.hedges_correction(1)").fetchall() == [(None,)]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("a, b", [([], []), ([1.0], []), ([1.0], [2.0]), ([2.0, 2.0], [2.0, 2.0])])
def test_thin_data_gives_null(con, name, a, b):
    found = struct(con, f"{name}(x, treated)", **arms(a, b))
    assert list(found.values())[:4] == [None] * 4

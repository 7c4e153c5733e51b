"""The normal distribution against mpmath at 60 digits."""

from __future__ import annotations

import math
import random

import duckdb
import mpmath as mp
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.conftest import rows

mp.mp.dps = 60
# Cody's rational functions are good to 6e-17 and some twenty roundings of 1.1e-16 follow.
TOLERANCE = mp.mpf("2e-15")


def upper(z):
    return mp.erfc(z / mp.sqrt(2)) / 2


REFERENCE = {
    "normal_pdf": lambda z, sd: mp.npdf(z) / sd,
    "normal_cdf": lambda z, sd: upper(-z),
    "normal_sf": lambda z, sd: upper(z),
}


def worst(con, name, points):
    """The largest relative error over points (x, mean, sd) whose result is a normal double."""
    records = [{"x": x, "m": m, "s": s} for x, m, s in points]
    got = con.execute(f"select ml.{name}(r.x, r.m, r.s) from (select unnest(?) as r)", [records])
    errors = []
    for (value,), (x, m, s) in zip(got.fetchall(), points, strict=True):
        expected = REFERENCE[name]((mp.mpf(x) - mp.mpf(m)) / mp.mpf(s), mp.mpf(s))
        if expected > mp.mpf("1e-300"):
            errors.append(abs(mp.mpf(value) - expected) / expected)
    assert len(errors) > len(points) / 3
    return max(errors)


@pytest.mark.parametrize("name", REFERENCE)
def test_agrees_with_mpmath_in_both_tails(con, name):
    rng = random.Random(1)
    points = [(rng.uniform(-37, 37), 0.0, 1.0) for _ in range(1500)]
    points += [(rng.uniform(-6, 6), 0.0, 1.0) for _ in range(500)]
    assert worst(con, name, points) < TOLERANCE


@pytest.mark.parametrize("name", REFERENCE)
def test_mean_and_sd_cost_no_digits(con, name):
    rng = random.Random(2)
    points = []
    for _ in range(1500):
        mean, sd = rng.uniform(-100, 100), 10 ** rng.uniform(-3, 3)
        points.append((mean + sd * rng.uniform(-36, 36), mean, sd))
    assert worst(con, name, points) < TOLERANCE


def test_borders_of_the_rational_functions(con):
    borders = [0.67448975, math.sqrt(32.0), 5.656854249492381, 37.5, 0.0]
    near = [s * b + d for b in borders for s in (-1, 1) for d in (-1e-9, 0.0, 1e-9)]
    assert worst(con, "normal_sf", [(x, 0.0, 1.0) for x in near] * 2) < TOLERANCE


def test_quantile_agrees_with_mpmath(con):
    rng = random.Random(3)
    points = [10 ** rng.uniform(-300, -0.31) for _ in range(400)]
    points += [rng.uniform(0, 1) for _ in range(400)] + [0.075, 0.925, 1 - 2**-53]
    got = con.execute("select ml.normal_quantile(unnest(?))", [points]).fetchall()
    for (value,), p in zip(got, points, strict=True):
        exact = mp.mpf(value)
        for _ in range(3):  # Newton from our value; each step doubles the digits
            exact -= (upper(-exact) - mp.mpf(p)) / mp.npdf(exact)
        # AS 241 is good to about 1e-16 and its roundings add some more.
        assert abs(mp.mpf(value) - exact) <= mp.mpf("2e-15") * abs(exact)


@given(z=st.floats(-37, 37))
def test_tails_mirror_each_other(con, z):
    cdf, sf = con.execute("select ml.normal_cdf($1), ml.normal_sf(-$1)", [z]).fetchall()[0]
    assert cdf == sf


@given(p=st.floats(1e-300, 0.5))
def test_quantile_inverts_the_cdf(con, p):
    ((back,),) = con.execute("select ml.normal_cdf(ml.normal_quantile($1))", [p]).fetchall()
    # an error of 1e-15 in z is magnified by z² < 1400 in the far tail
    assert back == pytest.approx(p, rel=3e-12)


def test_null_nan_and_infinities(pond):
    found = rows(
        pond,
        "select x, ml.normal_pdf(x), ml.normal_cdf(x), ml.normal_sf(x) from (values (null::double), "
        "('inf'::double), ('-inf'::double), (1e300), ('nan'::double)) as t(x)",
    )
    assert found[0] == (None, None, None, None)
    assert found[1][1:] == (0.0, 1.0, 0.0)
    assert found[2][1:] == (0.0, 0.0, 1.0)
    assert found[3][1:] == (0.0, 1.0, 0.0)
    assert all(math.isnan(value) for value in found[4])
    assert rows(pond, "select ml.normal_quantile(0), ml.normal_quantile(1)")[0] == (
        -math.inf,
        math.inf,
    )
    assert rows(pond, "select ml.normal_quantile(null)")[0] == (None,)


def test_one_null_among_many_rows(pond):
    found = rows(
        pond,
        "select count(*), count(ml.normal_cdf(x)) from "
        "(select case when i = 3000 then null else i / 1e3 end as x from range(5000) t(i))",
    )
    assert found == [(5000, 4999)]


@pytest.mark.parametrize(
    "call, message",
    [
        ("ml.normal_pdf(1, 0, 0)", "sd is 0.0; it must be greater than 0"),
        ("ml.normal_cdf(1, 0, -1)", "sd is -1.0; it must be greater than 0"),
        ("ml.normal_quantile(0.5, 0, 0)", "sd is 0; it must be greater than 0"),
        ("ml.normal_quantile(1.5)", r"p is 1.5; it must lie in \[0, 1\]"),
        ("ml.normal_quantile(-0.1)", r"p is -0.1; it must lie in \[0, 1\]"),
    ],
)
def test_a_parameter_out_of_range_is_an_error(pond, call, message):
    with pytest.raises(duckdb.Error, match=message):
        rows(pond, f"select {call}")


@pytest.mark.parametrize(
    "name, exact, low, high", [("erf", mp.erf, -6, 6), ("erfc", mp.erfc, -5, 26)]
)
def test_error_functions(con, name, exact, low, high):
    rng = random.Random(4)
    points = [rng.uniform(low, high) for _ in range(600)]
    points += [10 ** rng.uniform(-300, 0) for _ in range(300)]
    got = con.execute(f"select ml.{name}(unnest(?))", [points]).fetchall()
    for (value,), x in zip(got, points, strict=True):
        expected = exact(mp.mpf(x))
        assert abs(mp.mpf(value) - expected) <= TOLERANCE * abs(expected), x


def test_error_functions_at_the_ends(pond):
    found = rows(
        pond,
        "select ml.erf('inf'::double), ml.erf('-inf'::double), ml.erfc('-inf'::double), ml.erfc(1e300), "
        "ml.erf(0), ml.erf(null)",
    )
    assert found == [(1.0, -1.0, 2.0, 0.0, 0.0, None)]
    assert math.isnan(rows(pond, "select ml.erfc('nan'::double)")[0][0])


def test_logarithm_of_the_density(con):
    rng = random.Random(8)
    points = [
        (rng.uniform(-1e4, 1e4), rng.uniform(-5, 5), 10 ** rng.uniform(-2, 2)) for _ in range(300)
    ]
    for x, m, s in points:
        ((value,),) = con.execute("select ml.normal_logpdf($1, $2, $3)", [x, m, s]).fetchall()
        z = (mp.mpf(x) - mp.mpf(m)) / mp.mpf(s)
        expected = -z * z / 2 - mp.log(mp.mpf(s)) - mp.log(2 * mp.pi) / 2
        assert mp.mpf(value) == pytest.approx(expected, rel=1e-14, abs=1e-15)


def test_draws_have_the_moments_of_the_distribution(pond):
    n = 200_000
    ((mean, variance, kurtosis),) = rows(
        pond,
        f"select avg(x), var_samp(x), kurtosis_pop(x) from (select ml.normal_random(3, i, 5, 2) as x from range({n}) r(i))",
    )
    assert rows(pond, "select ml.normal_mean(5, 2), ml.normal_variance(5, 2)") == [(5.0, 4.0)]
    # six standard errors: sd / sqrt(n), variance · sqrt(2 / n), sqrt(24 / n)
    assert mean == pytest.approx(5, abs=6 * 2 / math.sqrt(n))
    assert variance == pytest.approx(4, rel=6 * math.sqrt(2 / n))
    assert kurtosis == pytest.approx(0, abs=6 * math.sqrt(24 / n))

"""Distributions with a closed form, against mpmath at 60 digits."""

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


def exponential(x, s):
    z = x / s
    return mp.exp(-z) / s, -mp.expm1(-z), mp.exp(-z)


def uniform(x, a, b):
    return 1 / (b - a), (x - a) / (b - a), (b - x) / (b - a)


def logistic(x, m, s):
    z = (x - m) / s
    e = mp.exp(-abs(z))
    return e / (s * (1 + e) ** 2), 1 / (1 + mp.exp(-z)), 1 / (1 + mp.exp(z))


def laplace(x, m, s):
    z = (x - m) / s
    low = mp.exp(-abs(z)) / 2
    cdf, sf = (low, 1 - low) if z < 0 else (1 - low, low)
    return low / s, cdf, sf


def cauchy(x, m, s):
    z = (x - m) / s
    return 1 / (mp.pi * s * (1 + z * z)), mp.acot(-z) / mp.pi % 1, mp.acot(z) / mp.pi % 1


def pareto(x, a, s):
    return a / x * (s / x) ** a, -mp.expm1(a * mp.log(s / x)), (s / x) ** a


# Each with the points it is tried at: parameters, then x over both tails down to 1e-300.
CASES = {
    "exponential": (exponential, lambda r: (1.0,), lambda r: 10 ** r.uniform(-300, 2.83)),
    "uniform": (uniform, lambda r: (0.0, 1.0), lambda r: r.choice([r.random(), 10 ** r.uniform(-300, 0)])),
    "logistic": (logistic, lambda r: (0.0, 1.0), lambda r: r.uniform(-690, 690)),
    "laplace": (laplace, lambda r: (0.0, 1.0), lambda r: r.choice([r.uniform(-690, 690), r.gauss(0, 1)])),
    "cauchy": (cauchy, lambda r: (0.0, 1.0), lambda r: r.choice([-1, 1]) * 10 ** r.uniform(-10, 100)),
    "pareto": (pareto, lambda r: (r.choice([0.5, 1.0, 3.0, 40.0]), 1.0), lambda r: 1 + 10 ** r.uniform(-12, 6)),
}  # fmt: skip
ENDINGS = ("pdf", "cdf", "sf")
# exp(-z) magnifies the rounding of its argument, 2**-53, by z <= 690; pow by its exponent.
TOLERANCE = mp.mpf("1e-13")


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("ending", ENDINGS)
def test_agrees_with_mpmath_in_both_tails(con, name, ending):
    exact, parameters, draw = CASES[name]
    rng = random.Random(5)
    points = [(draw(rng), *parameters(rng)) for _ in range(400)]
    n = len(points[0])
    arguments = ", ".join(f"r[{i + 1}]" for i in range(n))
    got = con.execute(
        f"select ml.{name}_{ending}({arguments}) from (select unnest(?) as r)",
        [[list(p) for p in points]],
    ).fetchall()
    compared = 0
    for (value,), point in zip(got, points, strict=True):
        expected = exact(*map(mp.mpf, point))[ENDINGS.index(ending)]
        if expected > mp.mpf("1e-300"):
            compared += 1
            assert abs(mp.mpf(value) - expected) <= TOLERANCE * expected, (point, value, expected)
    assert compared > 200


@pytest.mark.parametrize("name", CASES)
def test_the_logarithm_of_the_density(con, name):
    exact, parameters, draw = CASES[name]
    rng = random.Random(6)
    for _ in range(40):
        point = (draw(rng), *parameters(rng))
        arguments = ", ".join(map(repr, point)).replace("'", "")
        ((value,),) = con.execute(f"select ml.{name}_logpdf({arguments})").fetchall()
        expected = mp.log(exact(*map(mp.mpf, point))[0])
        # near a density of 1 the logarithm is near 0: absolute there
        assert mp.mpf(value) == pytest.approx(expected, rel=1e-13, abs=1e-15)


@pytest.mark.parametrize("name", CASES)
@given(p=st.one_of(st.floats(1e-300, 0.5), st.floats(0.5, 1 - 1e-12)))
def test_the_quantile_inverts_the_nearer_tail(con, name, p):
    _, parameters, _ = CASES[name]
    given_ = ", ".join(map(str, parameters(random.Random(1))))
    x, low, high = con.execute(
        f"select x, ml.{name}_cdf(x, {given_}), ml.{name}_sf(x, {given_}) "
        f"from (select ml.{name}_quantile($1, {given_}) as x)", [p],
    ).fetchall()[0]  # fmt: skip
    if p < 0.5:
        if name == "pareto" and p < 1e-12:
            return  # x = 1 + p / a has lost p's digits: the distribution starts at 1
        # pareto keeps p in the digits of x behind 1
        assert low == pytest.approx(p, rel=1e-3 if name == "pareto" else 2e-13)
    else:
        # 1 - p has 2**-53 / 1e-12 = 1e-4 of relative rounding at the border
        assert high == pytest.approx(1 - p, rel=2e-13, abs=2e-16)


@pytest.mark.parametrize("name", CASES)
def test_moments_are_those_of_the_draws(con, name):
    _, parameters, _ = CASES[name]
    given_ = (
        "5, 2" if name == "pareto" else {"exponential": "3", "uniform": "-1, 4"}.get(name, "2, 3")
    )
    mean, variance = con.execute(
        f"select ml.{name}_mean({given_}), ml.{name}_variance({given_})"
    ).fetchall()[0]
    n = 200_000
    drawn = con.execute(
        f"select avg(x), var_samp(x), median(x) from "
        f"(select ml.{name}_random(1, i, {given_}) as x from range({n}) r(i))"
    ).fetchall()[0]
    if name == "cauchy":
        assert (mean, variance) == (None, None)
        assert drawn[2] == pytest.approx(2, abs=0.06)  # π · 3 / (2 sqrt(n)) is 0.01
        return
    assert drawn[0] == pytest.approx(mean, abs=6 * math.sqrt(variance / n))
    # the variance of the sample variance of these is below 60 / n of its square
    assert drawn[1] == pytest.approx(variance, rel=6 * math.sqrt(60 / n))


def test_draws_belong_to_their_row(con):
    con.execute("set threads = 2")
    query = "select i, ml.exponential_random(7, i) as x from range(10000) r(i)"
    forwards = con.execute(f"select x from ({query}) order by i").fetchall()
    backwards = con.execute(f"select x from ({query} order by i desc) order by i").fetchall()
    assert forwards == backwards
    assert len(set(forwards)) == 10_000
    ((pairs,),) = con.execute(
        "select corr(ml.random_uniform(1, i), ml.random_uniform(2, i)) from range(100000) r(i)"
    ).fetchall()
    assert abs(pairs) < 6 / math.sqrt(100_000)
    ((serial,),) = con.execute(
        "select corr(ml.random_uniform(1, i), ml.random_uniform(1, i + 1)) from range(100000) r(i)"
    ).fetchall()
    assert abs(serial) < 6 / math.sqrt(100_000)


@pytest.mark.parametrize(
    "call, expected",
    [
        ("exponential_cdf(-1)", 0.0), ("exponential_sf(-1)", 1.0), ("exponential_pdf(-1)", 0.0),
        ("uniform_cdf(2)", 1.0), ("uniform_pdf(2)", 0.0), ("pareto_sf(0.5, 2)", 1.0),
        ("pareto_variance(2)", math.inf), ("pareto_mean(1)", math.inf),
        ("exponential_quantile(1)", math.inf), ("logistic_quantile(0)", -math.inf),
        ("exponential_cdf('inf'::double)", 1.0), ("logistic_cdf('-inf'::double)", 0.0),
        ("laplace_sf('inf'::double)", 0.0), ("cauchy_cdf('inf'::double)", 1.0),
        ("pareto_sf('inf'::double, 2)", 0.0), ("exponential_pdf(null)", None),
        ("exponential_pdf(1, null)", None), ("uniform_quantile(null)", None),
    ],
)  # fmt: skip
def test_ends_and_nulls(pond, call, expected):
    assert rows(pond, f"select ml.{call}") == [(expected,)]


def test_nan_stays_nan(pond):
    for name, (_, parameters, _) in CASES.items():
        given_ = ", ".join(map(str, parameters(random.Random(1))))
        for ending in ENDINGS:
            ((value,),) = rows(pond, f"select ml.{name}_{ending}('nan'::double, {given_})")
            assert math.isnan(value)


@pytest.mark.parametrize(
    "call, message",
    [
        (
            "exponential_cdf(1, 0)",
            "ml.exponential_cdf: scale is 0.0; it must be finite and greater than 0",
        ),
        ("logistic_pdf(1, 0, -2)", "scale is -2.0"),
        ("uniform_cdf(1, 3, 3)", "high is 3.0; it must be finite and above low"),
        ("pareto_sf(2, 'nan'::double)", "shape is nan"),
        ("laplace_quantile(1.5)", r"p is 1.5; it must lie in \[0, 1\]"),
    ],
)
def test_a_parameter_out_of_range_is_an_error(pond, call, message):
    with pytest.raises(duckdb.Error, match=message):
        rows(pond, f"select ml.{call}")


@pytest.mark.parametrize("name, exact", [("log1p", mp.log1p), ("expm1", mp.expm1)])
def test_elementary_functions(con, name, exact):
    rng = random.Random(9)
    points = [s * 10 ** rng.uniform(-18, 0) for s in (-1, 1) for _ in range(300)]
    points += [rng.uniform(-0.999, 50) for _ in range(300)]
    got = con.execute(f"select ml.{name}(unnest(?))", [points]).fetchall()
    for (value,), x in zip(got, points, strict=True):
        expected = exact(mp.mpf(x))
        assert abs(mp.mpf(value) - expected) <= mp.mpf("2e-15") * abs(expected), x

"""Points and exact values for the distribution functions, shared by tests and the accuracy table.

A case draws points over the documented domain and gives the value by mpmath. Quantities that mpmath
would take too long for (a shape of 1e6 by its series) are left to identities in the tests.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass

import mpmath as mp

mp.mp.dps = 50
Point = tuple[float, ...]


@dataclass(frozen=True)
class Case:
    """A function of the library, the points it is tried at, and its exact value."""

    function: str
    draw: Callable[[random.Random], Point]
    exact: Callable[..., mp.mpf]


def _lower_gamma(a: mp.mpf, x: mp.mpf) -> mp.mpf:
    return mp.gammainc(a, 0, x, regularized=True)


def _upper_gamma(a: mp.mpf, x: mp.mpf) -> mp.mpf:
    return mp.gammainc(a, x, regularized=True)


def _beta(a: mp.mpf, b: mp.mpf, x: mp.mpf) -> mp.mpf:
    return mp.betainc(a, b, 0, x, regularized=True)


def _near(r: random.Random, mean: float, sd: float) -> float:
    """A point within ten standard deviations, or anywhere on a logarithmic scale."""
    if r.random() < 0.6:
        return abs(mean + r.uniform(-10, 10) * sd) or mean
    return mean * 10 ** r.uniform(-2, 2)


def _shape(r: random.Random, top: float = 4) -> float:
    return 10 ** r.uniform(-1.5, top)


def _gamma_point(r: random.Random) -> Point:
    a = _shape(r)
    return _near(r, a, a**0.5), a


def _beta_point(r: random.Random) -> Point:
    a, b = _shape(r, 3.5), _shape(r, 3.5)
    mean = a / (a + b)
    sd = (mean * (1 - mean) / (a + b + 1)) ** 0.5
    x = mean + r.uniform(-8, 8) * sd if r.random() < 0.7 else r.random()
    return (x if 0 < x < 1 else r.random()), a, b


def _t_point(r: random.Random) -> Point:
    df = r.choice([10 ** r.uniform(-1, 3.5), r.randint(1, 100), 1e7])
    return r.choice([-1, 1]) * 10 ** r.uniform(-3, 1.4), df


def _f_point(r: random.Random) -> Point:
    d1, d2 = 10 ** r.uniform(-0.5, 3.3), 10 ** r.uniform(-0.5, 3.3)
    return _near(r, 1, (2 / d1 + 2 / d2) ** 0.5), d1, d2


def _binomial_point(r: random.Random) -> Point:
    n = int(10 ** r.uniform(0, 3.5))
    p = r.choice([r.random(), 10 ** r.uniform(-4, 0)])
    k = round(n * p + r.gauss(0, 5) * (n * p * (1 - p)) ** 0.5)
    return float(min(max(k, 0), n)), float(n), p


def _poisson_point(r: random.Random) -> Point:
    rate = 10 ** r.uniform(-2, 3.8)
    return float(max(round(rate + r.gauss(0, 6) * rate**0.5), 0)), rate


def _negative_binomial_point(r: random.Random) -> Point:
    n, p = 10 ** r.uniform(-1, 3), r.uniform(0.01, 1)
    k = n * (1 - p) / p + r.gauss(0, 4) * (n * (1 - p)) ** 0.5 / p
    return float(max(round(k), 0)), n, p


def _t_upper(t: mp.mpf, df: mp.mpf) -> mp.mpf:
    tail = _beta(df / 2, mp.mpf(1) / 2, df / (df + t * t)) / 2
    return tail if t > 0 else 1 - tail


def _f_lower(x: mp.mpf, d1: mp.mpf, d2: mp.mpf) -> mp.mpf:
    return _beta(d1 / 2, d2 / 2, d1 * x / (d1 * x + d2))


def _f_upper(x: mp.mpf, d1: mp.mpf, d2: mp.mpf) -> mp.mpf:
    return _beta(d2 / 2, d1 / 2, d2 / (d1 * x + d2))


def _f_density(x: mp.mpf, d1: mp.mpf, d2: mp.mpf) -> mp.mpf:
    a, b, z = d1 / 2, d2 / 2, d1 * x / d2
    return z**a * (1 + z) ** (-a - b) / x / mp.beta(a, b)


def _t_density(t: mp.mpf, df: mp.mpf) -> mp.mpf:
    return (1 + t * t / df) ** (-(df + 1) / 2) / (mp.sqrt(df) * mp.beta(df / 2, mp.mpf(1) / 2))


def _negative_binomial(k: mp.mpf, n: mp.mpf, p: mp.mpf) -> mp.mpf:
    return mp.gamma(k + n) / mp.gamma(k + 1) / mp.gamma(n) * p**n * (1 - p) ** k


def _lognormal(x: mp.mpf, s: mp.mpf, upper: bool) -> mp.mpf:
    z = mp.log(x) / s
    return mp.erfc(z / mp.sqrt(2) if upper else -z / mp.sqrt(2)) / 2


def _lognormal_point(r: random.Random) -> Point:
    s = r.uniform(0.1, 3)
    return 2.718281828459045 ** (s * r.uniform(-30, 30)), s


CASES = [
    Case("gamma_inc", lambda r: _gamma_point(r)[::-1], _lower_gamma),
    Case("gamma_inc_upper", lambda r: _gamma_point(r)[::-1], _upper_gamma),
    Case("beta_inc", _beta_point, lambda x, a, b: _beta(a, b, x)),
    Case("log_beta", lambda r: (_shape(r, 7), _shape(r, 7)),
         lambda a, b: mp.loggamma(a) + mp.loggamma(b) - mp.loggamma(a + b)),
    Case("digamma", lambda r: (r.choice([r.uniform(-20, 20), 10 ** r.uniform(-5, 8)]),), mp.digamma),
    Case("gamma_pdf", _gamma_point, lambda x, a: mp.exp(a * mp.log(x) - x - mp.loggamma(a)) / x),
    Case("gamma_cdf", _gamma_point, lambda x, a: _lower_gamma(a, x)),
    Case("gamma_sf", _gamma_point, lambda x, a: _upper_gamma(a, x)),
    Case("gamma_logsf", _gamma_point, lambda x, a: mp.log(_upper_gamma(a, x))),
    Case("chi2_cdf", _gamma_point, lambda x, a: _lower_gamma(a / 2, x / 2)),
    Case("chi2_sf", _gamma_point, lambda x, a: _upper_gamma(a / 2, x / 2)),
    Case("beta_pdf", _beta_point, lambda x, a, b: x ** (a - 1) * (1 - x) ** (b - 1) / mp.beta(a, b)),
    Case("beta_cdf", _beta_point, lambda x, a, b: _beta(a, b, x)),
    Case("beta_sf", _beta_point, lambda x, a, b: _beta(b, a, 1 - x)),
    Case("t_pdf", _t_point, _t_density),
    Case("t_cdf", _t_point, lambda x, df: _t_upper(-x, df)),
    Case("t_sf", _t_point, _t_upper),
    Case("t_logsf", _t_point, lambda x, df: mp.log(_t_upper(x, df))),
    Case("f_pdf", _f_point, _f_density),
    Case("f_cdf", _f_point, _f_lower),
    Case("f_sf", _f_point, _f_upper),
    Case("f_logsf", _f_point, lambda x, a, b: mp.log(_f_upper(x, a, b))),
    Case("lognormal_cdf", _lognormal_point, lambda x, s: _lognormal(x, s, False)),
    Case("lognormal_sf", _lognormal_point, lambda x, s: _lognormal(x, s, True)),
    Case("weibull_cdf", lambda r: (10 ** r.uniform(-3, 0.8), r.uniform(0.3, 5)),
         lambda x, k: -mp.expm1(-(x**k))),
    Case("weibull_sf", lambda r: (10 ** r.uniform(-3, 0.5), r.uniform(0.3, 5)),
         lambda x, k: mp.exp(-(x**k))),
    Case("binomial_pmf", _binomial_point,
         lambda k, n, p: mp.binomial(n, k) * p**k * (1 - p) ** (n - k)),
    Case("binomial_cdf", _binomial_point,
         lambda k, n, p: _beta(n - k, k + 1, 1 - p) if k < n else mp.mpf(1)),
    Case("binomial_sf", _binomial_point,
         lambda k, n, p: _beta(k + 1, n - k, p) if k < n else mp.mpf(0)),
    Case("poisson_pmf", _poisson_point,
         lambda k, m: mp.exp(k * mp.log(m) - m - mp.loggamma(k + 1))),
    Case("poisson_cdf", _poisson_point, lambda k, m: _upper_gamma(k + 1, m)),
    Case("poisson_sf", _poisson_point, lambda k, m: _lower_gamma(k + 1, m)),
    Case("geometric_pmf", lambda r: (float(r.randint(1, 200)), 10 ** r.uniform(-6, -0.1)),
         lambda k, p: p * (1 - p) ** (k - 1)),
    Case("geometric_cdf", lambda r: (float(r.randint(1, 200)), 10 ** r.uniform(-6, -0.1)),
         lambda k, p: 1 - (1 - p) ** k),
    Case("geometric_sf", lambda r: (float(r.randint(1, 200)), 10 ** r.uniform(-6, -0.1)),
         lambda k, p: (1 - p) ** k),
    Case("negative_binomial_pmf", _negative_binomial_point, _negative_binomial),
    Case("negative_binomial_cdf", _negative_binomial_point, lambda k, n, p: _beta(n, k + 1, p)),
    Case("negative_binomial_sf", _negative_binomial_point, lambda k, n, p: _beta(k + 1, n, 1 - p)),
]  # fmt: skip


def points(case: Case, n: int, seed: int = 1) -> list[Point]:
    """The first n points of a case."""
    r = random.Random(seed)
    return [tuple(float(value) for value in case.draw(r)) for _ in range(n)]

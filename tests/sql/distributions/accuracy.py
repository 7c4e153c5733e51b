"""Points and exact values for the distribution functions, shared by tests and the accuracy table.

A case draws points over the documented domain and gives the value at 50 digits: by mpmath, or for
shapes above 1000, where its series take minutes, by continued fractions at the same precision.
"""

from __future__ import annotations

import math
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


def _lentz(a: Callable[[int], mp.mpf], b: Callable[[int], mp.mpf]) -> mp.mpf:
    """b0 + a1 / (b1 + a2 / (b2 + …)), to all digits (Lentz's method)."""
    value = b(0) or mp.mpf("1e-300")
    c, d = value, mp.mpf(0)
    for m in range(1, 1_000_000):
        d = 1 / (b(m) + a(m) * d)
        c = b(m) + a(m) / c
        value *= c * d
        if abs(c * d - 1) < mp.mpf(10) ** (-mp.mp.dps + 5):
            return value
    raise ArithmeticError("the fraction does not converge")


def _lower_gamma(a: mp.mpf, x: mp.mpf) -> mp.mpf:
    if a < 1000:
        return mp.gammainc(a, 0, x, regularized=True)
    if x > a:
        return 1 - _upper_gamma(a, x)
    fraction = _lentz(lambda m: -(a + (m - 1) // 2) * x if m % 2 else m // 2 * x, lambda m: a + m)
    return mp.exp(a * mp.log(x) - x - mp.loggamma(a)) / fraction


def _upper_gamma(a: mp.mpf, x: mp.mpf) -> mp.mpf:
    if a < 1000:
        return mp.gammainc(a, x, regularized=True)
    if x <= a:
        return 1 - _lower_gamma(a, x)
    fraction = _lentz(lambda m: m * (a - m), lambda m: x + 2 * m + 1 - a)
    return mp.exp(a * mp.log(x) - x - mp.loggamma(a)) / fraction


def _beta(a: mp.mpf, b: mp.mpf, x: mp.mpf, y: mp.mpf | None = None) -> mp.mpf:
    """The regularised incomplete beta function; y = 1 - x."""
    y = 1 - x if y is None else y
    if max(a, b) < 1000:
        return mp.betainc(a, b, 0, x, regularized=True)
    if x > (a + 1) / (a + b + 2):
        return 1 - _beta(b, a, y, x)

    def numerator(m: int) -> mp.mpf:
        k = m // 2
        if m % 2:
            return -(a + k) * (a + b + k) * x / ((a + 2 * k) * (a + 2 * k + 1))
        return k * (b - k) * x / ((a + 2 * k - 1) * (a + 2 * k))

    log_beta = mp.loggamma(a) + mp.loggamma(b) - mp.loggamma(a + b)
    front = mp.exp(a * mp.log(x) + b * mp.log(y) - log_beta) / a
    return front / _lentz(numerator, lambda m: mp.mpf(1))


def _near(r: random.Random, mean: float, sd: float) -> float:
    """A point within ten standard deviations, or anywhere on a logarithmic scale."""
    if r.random() < 0.6:
        return abs(mean + r.uniform(-10, 10) * sd) or mean
    return mean * 10 ** r.uniform(-2, 2)


def _shape(r: random.Random, top: float = 6) -> float:
    return 10 ** r.uniform(-1.5, top)


def _gamma_point(r: random.Random) -> Point:
    a = _shape(r)
    return _near(r, a, a**0.5), a


def _beta_point(r: random.Random) -> Point:
    a, b = _shape(r), _shape(r)
    mean = a / (a + b)
    sd = (mean * (1 - mean) / (a + b + 1)) ** 0.5
    x = mean + r.uniform(-8, 8) * sd if r.random() < 0.7 else r.random()
    return (x if 0 < x < 1 else r.random()), a, b


def _t_point(r: random.Random) -> Point:
    df = r.choice([10 ** r.uniform(-1, 7), r.randint(1, 100)])
    return r.choice([-1, 1]) * 10 ** r.uniform(-3, 1.4), df


def _f_point(r: random.Random) -> Point:
    d1, d2 = 10 ** r.uniform(-0.5, 7), 10 ** r.uniform(-0.5, 7)
    return _near(r, 1, (2 / d1 + 2 / d2) ** 0.5), d1, d2


def _binomial_point(r: random.Random) -> Point:
    n = int(10 ** r.uniform(0, 7))
    p = r.choice([r.random(), 10 ** r.uniform(-4, 0)])
    k = round(n * p + r.gauss(0, 5) * (n * p * (1 - p)) ** 0.5)
    return float(min(max(k, 0), n)), float(n), p


def _poisson_point(r: random.Random) -> Point:
    rate = 10 ** r.uniform(-2, 6)
    return float(max(round(rate + r.gauss(0, 6) * rate**0.5), 0)), rate


def _negative_binomial_point(r: random.Random) -> Point:
    n, p = 10 ** r.uniform(-1, 5), r.uniform(0.01, 1)
    k = n * (1 - p) / p + r.gauss(0, 4) * (n * (1 - p)) ** 0.5 / p
    return float(max(round(k), 0)), n, p


def _t_upper(t: mp.mpf, df: mp.mpf) -> mp.mpf:
    tail = _beta(df / 2, mp.mpf(1) / 2, df / (df + t * t), t * t / (df + t * t)) / 2
    return tail if t > 0 else 1 - tail


def _f_lower(x: mp.mpf, d1: mp.mpf, d2: mp.mpf) -> mp.mpf:
    return _beta(d1 / 2, d2 / 2, d1 * x / (d1 * x + d2), d2 / (d1 * x + d2))


def _f_upper(x: mp.mpf, d1: mp.mpf, d2: mp.mpf) -> mp.mpf:
    return _beta(d2 / 2, d1 / 2, d2 / (d1 * x + d2), d1 * x / (d1 * x + d2))


def _f_density(x: mp.mpf, d1: mp.mpf, d2: mp.mpf) -> mp.mpf:
    a, b, z = d1 / 2, d2 / 2, d1 * x / d2
    return (
        z**a
        * (1 + z) ** (-a - b)
        / x
        / mp.exp(mp.loggamma(a) + mp.loggamma(b) - mp.loggamma(a + b))
    )


def _t_density(t: mp.mpf, df: mp.mpf) -> mp.mpf:
    return (
        (1 + t * t / df) ** (-(df + 1) / 2)
        / mp.sqrt(df * mp.pi)
        * mp.exp(mp.loggamma((df + 1) / 2) - mp.loggamma(df / 2))
    )


def _binomial(k: mp.mpf, n: mp.mpf, p: mp.mpf) -> mp.mpf:
    ways = mp.loggamma(n + 1) - mp.loggamma(k + 1) - mp.loggamma(n - k + 1)
    return mp.exp(ways + (mp.log(p) * k if k else 0) + (n - k) * mp.log1p(-p if p < 1 else 0))


def _negative_binomial(k: mp.mpf, n: mp.mpf, p: mp.mpf) -> mp.mpf:
    ways = mp.loggamma(k + n) - mp.loggamma(k + 1) - mp.loggamma(n)
    return mp.exp(ways + n * mp.log(p) + k * mp.log1p(-p))


def _lognormal(x: mp.mpf, s: mp.mpf, upper: bool) -> mp.mpf:
    z = mp.log(x) / s
    return mp.erfc(z / mp.sqrt(2) if upper else -z / mp.sqrt(2)) / 2


def _lognormal_point(r: random.Random) -> Point:
    s = r.uniform(0.1, 3)
    return 2.718281828459045 ** (s * r.uniform(-30, 30)), s


def _normal_point(r: random.Random) -> Point:
    return (r.choice([r.uniform(-37, 37), r.gauss(0, 1)]),)


def _upper_normal(x: mp.mpf) -> mp.mpf:
    return mp.erfc(x / mp.sqrt(2)) / 2


def _hypergeometric_point(r: random.Random) -> Point:
    population = int(10 ** r.uniform(0.5, 3.3))
    successes, draws = r.randint(0, population), r.randint(0, population)
    mean = population and draws * successes / population
    k = round(mean + r.gauss(0, 3) * (mean * (1 - successes / population)) ** 0.5)
    low = max(0, draws + successes - population)
    return float(min(max(k, low), successes, draws)), population, successes, draws


def _hypergeometric(low: mp.mpf, high: mp.mpf, population: mp.mpf, successes: mp.mpf,
                    draws: mp.mpf) -> mp.mpf:  # fmt: skip
    """P(low <= X <= high), in whole numbers."""
    m, n, r = int(population), int(successes), int(draws)
    first, last = max(int(low), r + n - m, 0), min(int(high), n, r)
    ways = sum(math.comb(n, j) * math.comb(m - n, r - j) for j in range(first, last + 1))
    return mp.mpf(ways) / math.comb(m, r)


CASES = [
    Case("erf", lambda r: (r.choice([r.uniform(-6, 6), 10 ** r.uniform(-300, 0)]),), mp.erf),
    Case("erfc", lambda r: (r.uniform(-6, 26),), mp.erfc),
    Case("log1p", lambda r: (r.choice([r.uniform(-0.99, 5), 10 ** r.uniform(-300, 3)]),), mp.log1p),
    Case("expm1", lambda r: (r.choice([r.uniform(-40, 40), 10 ** r.uniform(-300, 0)]),), mp.expm1),
    Case("normal_pdf", _normal_point, mp.npdf),
    Case("normal_cdf", _normal_point, lambda x: _upper_normal(-x)),
    Case("normal_sf", _normal_point, _upper_normal),
    Case("normal_logsf", lambda r: (r.uniform(-30, 300),), lambda x: mp.log(_upper_normal(x))),
    Case("exponential_cdf", lambda r: (10 ** r.uniform(-300, 2.8),), lambda x: -mp.expm1(-x)),
    Case("logistic_cdf", lambda r: (r.uniform(-690, 40),), lambda x: 1 / (1 + mp.exp(-x))),
    Case("laplace_cdf", lambda r: (r.uniform(-690, 40),),
         lambda x: mp.exp(x) / 2 if x < 0 else 1 - mp.exp(-x) / 2),
    Case("cauchy_cdf", lambda r: (r.choice([-1, 1]) * 10 ** r.uniform(-10, 100),),
         lambda x: mp.acot(-x) / mp.pi % 1),
    Case("pareto_sf", lambda r: (1 + 10 ** r.uniform(-12, 6), r.choice([0.5, 3.0, 40.0])),
         lambda x, a: x**-a),
    Case("hypergeometric_pmf", _hypergeometric_point, lambda k, *p: _hypergeometric(k, k, *p)),
    Case("hypergeometric_cdf", _hypergeometric_point, lambda k, *p: _hypergeometric(0, k, *p)),
    Case("hypergeometric_sf", _hypergeometric_point,
         lambda k, *p: _hypergeometric(k + 1, p[2], *p)),
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
    Case("beta_pdf", _beta_point, lambda x, a, b: x ** (a - 1) * (1 - x) ** (b - 1) * mp.exp(mp.loggamma(a + b) - mp.loggamma(a) - mp.loggamma(b))),
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
         _binomial),
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

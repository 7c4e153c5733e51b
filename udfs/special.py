"""The few special and distribution functions that a fitted model needs.

Sources: Cody (1969), "Rational Chebyshev approximations for the error function", Math. Comp. 23,
for erfcx; Stirling's series, DLMF 5.11.1, for log_gamma; continued fraction of the incomplete beta
function, DLMF 8.17.22, by Lentz's method. It loses digits as df grows (ten are left at df = 5e6),
so from 30 on, below t² = df, the tail is integrated instead: Takahasi & Mori (1974), double
exponential formula for decaying integrands.
"""

from __future__ import annotations

import math
from statistics import NormalDist

import numpy as np

from mlpond.udfs.design import Array

_TINY = 1e-300
_MOST_TERMS = 1000  # 60 suffice below df = 30
_STEP = 1 / 16
_NODES = np.arange(-4.5, 4.5, _STEP)  # halving the step changes no digit
_V = np.exp(_NODES - np.exp(-_NODES))
_WEIGHTS = _STEP * _V * (1.0 + np.exp(-_NODES))

_SMALL, _LARGE = 0.46875, 4.0  # where Cody's approximations of erfcx meet
_ERF = (
    (1.85777706184603153e-1, 3.16112374387056560, 1.13864154151050156e2, 3.77485237685302021e2,
     3.20937758913846947e3),
    (1.0, 2.36012909523441209e1, 2.44024637934444173e2, 1.28261652607737228e3,
     2.84423683343917062e3),
)  # fmt: skip
_ERFCX = (
    (2.15311535474403846e-8, 5.64188496988670089e-1, 8.88314979438837594, 6.61191906371416295e1,
     2.98635138197400131e2, 8.81952221241769090e2, 1.71204761263407058e3, 2.05107837782607147e3,
     1.23033935479799725e3),
    (1.0, 1.57449261107098347e1, 1.17693950891312499e2, 5.37181101862009858e2,
     1.62138957456669019e3, 3.29079923573345963e3, 4.36261909014324716e3, 3.43936767414372164e3,
     1.23033935480374942e3),
)  # fmt: skip
_ERFCX_TAIL = (
    (1.63153871373020978e-2, 3.05326634961232344e-1, 3.60344899949804439e-1,
     1.25781726111229246e-1, 1.60837851487422766e-2, 6.58749161529837803e-4),
    (1.0, 2.56852019228982242, 1.87295284992346725, 5.27905102951428412e-1,
     6.05183413124413191e-2, 2.33520497626869185e-3),
)  # fmt: skip
_STIRLING = (1 / 12, -1 / 360, 1 / 1260, -1 / 1680, 1 / 1188, -691 / 360360, 1 / 156)


def _ratio(coefficients: tuple[tuple[float, ...], tuple[float, ...]], x: Array) -> Array:
    above, below = coefficients
    return np.asarray(np.polyval(above, x) / np.polyval(below, x))


def erfcx(x: Array) -> Array:
    """exp(x²) erfc(x) for x ≥ 0, to 5e-16 of itself."""
    out = np.empty_like(x)
    small, tail = x <= _SMALL, x > _LARGE
    middle = ~(small | tail)
    s, t, m = x[small], x[tail], x[middle]
    out[small] = np.exp(s * s) * (1.0 - s * _ratio(_ERF, s * s))
    out[middle] = _ratio(_ERFCX, m)
    r = 1.0 / (t * t)
    out[tail] = (1.0 / math.sqrt(math.pi) - r * _ratio(_ERFCX_TAIL, r)) / t
    return out


def log_gamma(x: Array) -> Array:
    """log Γ(x) for x > 0; below 10 the recurrence Γ(x + 1) = x Γ(x) leads to the series."""
    shift = np.ones_like(x)
    for _ in range(10):
        low = x < 10.0
        if not np.any(low):
            break
        shift = np.where(low, shift * x, shift)
        x = np.where(low, x + 1.0, x)
    r = 1.0 / (x * x)
    series = np.polyval(_STIRLING[::-1], r) / x
    return np.asarray((x - 0.5) * np.log(x) - x + 0.5 * math.log(2 * math.pi) + series) - np.log(
        shift
    )


def normal_two_sided(z: Array) -> Array:
    """P(|Z| ≥ |z|) for standard normal Z; nan stays nan."""
    return np.array([math.erfc(abs(v) / math.sqrt(2.0)) for v in z.tolist()])


def normal_quantile_two_sided(confidence_level: float) -> float:
    """The z with P(|Z| ≤ z) = confidence_level."""
    return -NormalDist().inv_cdf((1.0 - confidence_level) / 2.0)


def student_t_two_sided(t: Array, df: float) -> Array:
    """P(|T| ≥ |t|) for Student's T with df degrees of freedom; nan stays nan."""
    return np.array([_t_two_sided(abs(v), df) for v in t.tolist()])


def _t_two_sided(t: float, df: float) -> float:
    """I_x(df/2, 1/2) with x = df / (df + t²)."""
    if math.isnan(t) or not df > 0:
        return math.nan
    if math.isinf(t):
        return 0.0
    if t == 0.0:
        return 1.0
    if df >= 30.0 and t * t < df:
        return _t_tail_integral(t, df)
    a, b = df / 2.0, 0.5
    u = t / math.sqrt(df)
    log_x = -2.0 * math.log(math.hypot(1.0, u)) if u > 1.0 else -math.log1p(u * u)
    y = u * u / (1.0 + u * u) if u < 1e150 else 1.0  # 1 - x
    x = 1.0 / (1.0 + u * u) if u < 1e150 else 0.0
    log_y = 2.0 * math.log(u) + log_x
    front = math.exp(a * log_x + b * log_y - _log_beta_half(a))
    if x < (a + 1.0) / (a + b + 2.0):
        return front * _beta_fraction(a, b, x) / a
    return 1.0 - front * _beta_fraction(b, a, y) / b


def _t_tail_integral(t: float, df: float) -> float:
    """2 f(t) ∫ exp(-(h(t + s) - h(t))) ds over s > 0, with h(s) = (df + 1)/2 log(1 + s²/df)."""
    width = 1.0 / max(1.0, (df + 1.0) * t / (df + t * t))
    s = width * _V
    rise = (df + 1.0) / 2.0 * np.log1p(s * (2.0 * t + s) / (df + t * t))
    integral = width * float(np.exp(-rise) @ _WEIGHTS)
    return 2.0 * math.exp(_t_log_density(t, df)) * integral


def _t_log_density(t: float, df: float) -> float:
    normaliser = -_log_beta_half(df / 2.0) - 0.5 * math.log(df)
    return normaliser - (df + 1.0) / 2.0 * math.log1p(t * t / df)


def _log_beta_half(a: float) -> float:
    """log B(a, 1/2); from 40 on by the series of Γ(a + 1/2) / Γ(a), whose rest is below 1e-18."""
    if a < 40.0:
        return math.lgamma(a) + math.lgamma(0.5) - math.lgamma(a + 0.5)
    r = 1.0 / (a * a)
    tail = (-1 / 8 + r * (1 / 192 + r * (-1 / 640 + r * (17 / 14336 - r * 31 / 18432)))) / a
    return 0.5 * math.log(math.pi / a) - tail


def _beta_fraction(a: float, b: float, x: float) -> float:
    """The continued fraction of I_x(a, b) without its front factor x^a (1-x)^b / (a B(a, b))."""
    c, d = 1.0, 1.0 - (a + b) * x / (a + 1.0)
    d = 1.0 / (d if abs(d) > _TINY else _TINY)
    h = d
    for m in range(1, _MOST_TERMS):
        for term in (
            m * (b - m) * x / ((a + 2 * m - 1.0) * (a + 2 * m)),
            -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1.0)),
        ):
            d = 1.0 + term * d
            c = 1.0 + term / c
            d = 1.0 / (d if abs(d) > _TINY else _TINY)
            c = c if abs(c) > _TINY else _TINY
            step = c * d
            h *= step
        if abs(step - 1.0) < 1e-16:
            break
    return h


def student_t_quantile_two_sided(confidence_level: float, df: float) -> float:
    """The t with P(|T| ≤ t) = confidence_level, by Newton from below, where the tail is convex."""
    if not df > 0:
        return math.nan
    tail = 1.0 - confidence_level
    t = normal_quantile_two_sided(confidence_level)
    for _ in range(200):
        step = (_t_two_sided(t, df) - tail) / (2.0 * math.exp(_t_log_density(t, df)))
        t += step
        if abs(step) <= 1e-15 * t:
            break
    return t

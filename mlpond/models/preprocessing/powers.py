"""Power transforms, which bring a skewed number near to a normal one.

    Box–Cox        (x^λ - 1) / λ, and ln x at λ = 0; for x > 0
    Yeo–Johnson    for x ≥ 0 Box–Cox of 1 + x with λ, for x < 0 minus Box–Cox of 1 - x with 2 - λ

λ is that of maximum likelihood. Both likelihoods are concave in λ, so that Newton's steps inside a
bracket find it; each step is one scan. Of values of one sign Yeo–Johnson is Box–Cox, and Box–Cox
is computed of x over its geometric mean, which changes nothing of λ and neither overflows nor
cancels.

scikit-learn searches the maximum itself, which near its flat top is known to half the digits of a
double; we search the zero of the derivative. The λs agree to about 1e-7, ours has more digits.

Sources: Box & Cox (1964), An analysis of transformations, JRSS B 26; Yeo & Johnson (2000), A new
    family of power transformations, Biometrika 87; Marchand et al. (2022), SecureFedYJ,
    arXiv:2210.01639 (concavity).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from mlpond.engine import Engine
from mlpond.models.preprocessing.function import (
    NUMBER,
    Call,
    Function,
    Learnt,
    Setting,
    finite,
    is_boolean,
)
from mlpond.sql.templates.quoting import double
from mlpond.sql.templates.renderer import render_file

MOST_EXPONENT = 300.0  # e^300 squared is still a double
MOST_STEPS = 100
ENOUGH = 1e-9  # a Newton step of this size leaves an error of its square
SMALL = 1e-4  # exponents below which (e^t - 1) / t is summed

STANDARDIZE = Setting("standardize", False, is_boolean, "TRUE or FALSE")


def _fit_box_cox(engine: Engine, source: str, call: Call) -> Learnt:
    x = finite(call)
    least = engine.value(f"select min({x}) from {source}")
    if least is not None and least <= 0:
        n = engine.value(f"select count_if({x} <= 0) from {source}")
        raise call.refuse(
            f"{n} values are 0 or less, and Box–Cox takes positive ones; use ML.YEO_JOHNSON, or "
            "add a constant."
        )
    return _standardized(engine, source, call, _box_cox_exponent(engine, source, f"ln({x})"))


def _fit_yeo_johnson(engine: Engine, source: str, call: Call) -> Learnt:
    x = finite(call)
    n, least, most = engine.row(f"select count({x}), min({x}), max({x}) from {source}")
    if n and least >= 0:
        exponent = _box_cox_exponent(engine, source, f"ln(1e0 + {x})")
    elif n and most <= 0:
        exponent = 2.0 - _box_cox_exponent(engine, source, f"ln(1e0 - {x})")
    elif n:
        w, sign = f"ln(1e0 + abs({x}))", f"sign({x})::double"
        slope = engine.value(f"select sum({sign} * {w}) from {source}")

        def moments(at: float) -> dict[str, Any]:
            a = f"case when {x} < 0 then {double(2.0 - at)} else {double(at)} end"
            return _moments(engine, source, w, a, sign)

        bracket = 2.0 - MOST_EXPONENT / math.log1p(-least), MOST_EXPONENT / math.log1p(most)
        exponent = _maximum(moments, slope, bracket)
    else:
        exponent = 1.0
    return _standardized(engine, source, call, exponent)


def _box_cox_exponent(engine: Engine, source: str, logarithm: str) -> float:
    """λ of values given by the SQL of their logarithm."""
    mean, least, most = engine.row(
        f"select avg({logarithm}), min({logarithm}), max({logarithm}) from {source}"
    )
    if mean is None or least == most:
        return 1.0  # every λ fits alike; 1 leaves the values as they are
    w = f"({logarithm} - {double(mean)})"
    # neither these powers nor those of the values themselves may overflow
    edge = MOST_EXPONENT / max(most - mean, mean - least, abs(most), abs(least))

    def moments(at: float) -> dict[str, Any]:
        return _moments(engine, source, w, double(at), "1e0")

    return _maximum(moments, 0.0, (-edge, edge))


def _moments(engine: Engine, source: str, w: str, a: str, sign: str) -> dict[str, Any]:
    return engine.record(render_file("features/power_moments.j2", w=w, a=a, sign=sign, rows=source))


def _maximum(
    moments: Callable[[float], dict[str, Any]], slope: float, bracket: tuple[float, float]
) -> float:
    """The λ that maximises -n/2 ln var p + λ slope, within a bracket.

    f'  = slope - n cov(p, p') / var p
    f'' = -n ((cov(p, p'') + var p') / var p - 2 (cov(p, p') / var p)²)
    """
    low, high = bracket
    at = min(max(1.0, low), high)
    for _ in range(MOST_STEPS):
        m = moments(at)
        ratio = m["first"] / m["variance"]
        first = slope - m["n"] * ratio
        second = -m["n"] * (m["second"] / m["variance"] - 2.0 * ratio * ratio)
        low, high = (at, high) if first > 0 else (low, at)
        step = -first / second if second < 0 else math.inf
        new = at + step
        if not low <= new <= high:
            new = (low + high) / 2.0
        if abs(new - at) <= ENOUGH * (1.0 + abs(at)):
            return new
        at = new
    return at


def _standardized(engine: Engine, source: str, call: Call, exponent: float) -> Learnt:
    """λ, and the mean and standard deviation of the transformed values if they are asked for."""
    numbers: dict[str, float | None] = {"lambda": exponent}
    if call["standardize"]:
        value = _TRANSFORMS[call.function](call, exponent)
        known = f"from {source} where {finite(call)} is not null"
        mean, stddev = engine.row(f"select avg({value}), stddev_pop({value}) {known}")
        numbers |= {"mean": mean, "stddev": stddev}
    return Learnt(numbers)


def _power(base: str, a: float) -> str:
    """SQL of (base^a - 1) / a."""
    if abs(a) >= SMALL:
        return f"((pow({base}, {double(a)}) - 1e0) / {double(a)})"
    text = "1e0"
    for k in (5, 4, 3, 2) if a else ():
        text = f"(1e0 + {double(a / k)} * ln({base}) * {text})"
    return f"(ln({base}) * {text})"


def _box_cox_value(call: Call, exponent: float) -> str:
    x = f"{call.x}::double"
    return f"case when {x} > 0 then {_power(x, exponent)} end"


def _yeo_johnson_value(call: Call, exponent: float) -> str:
    x = f"{call.x}::double"
    return (
        f"case when {x} >= 0 then {_power(f'({x} + 1e0)', exponent)} "
        f"when {x} < 0 then -{_power(f'(1e0 - {x})', 2.0 - exponent)} end"
    )


_TRANSFORMS = {"BOX_COX": _box_cox_value, "YEO_JOHNSON": _yeo_johnson_value}


def _power_transform(call: Call, learnt: Learnt) -> str:
    exponent = learnt.numbers["lambda"]
    assert exponent is not None
    value = _TRANSFORMS[call.function](call, exponent)
    if not call["standardize"]:
        return f"({value})"
    mean, stddev = learnt.numbers["mean"], learnt.numbers["stddev"]
    if mean is None:
        return "NULL::double"
    # what never varies has nothing to scale; it becomes 0
    scale = double(1.0 / stddev) if stddev else "0e0"
    return f"((({value}) - {double(mean)}) * {scale})"


FUNCTIONS = tuple(
    Function(name, _power_transform, arguments=(NUMBER,), settings=(STANDARDIZE,), fit=fit)
    for name, fit in (("BOX_COX", _fit_box_cox), ("YEO_JOHNSON", _fit_yeo_johnson))
)

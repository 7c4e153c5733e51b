"""ML.SPLINE: a number as the values of a basis of B-splines, for curves in linear models.

NaN and infinities are not learnt from; NULL and NaN become NULL.
"""

from __future__ import annotations

import numpy as np

from mlpond.engine import Engine
from mlpond.models.preprocessing.cuts import quantiles, rank_of
from mlpond.models.preprocessing.function import (
    NUMBER,
    Call,
    Function,
    Learnt,
    Setting,
    at_least,
    finite,
    is_boolean,
    number_values,
    one_of,
)
from mlpond.sql.templates.lambdas import PREFIX
from mlpond.sql.templates.quoting import double, doubles
from mlpond.udfs.splines import Array, basis_pieces

# parameters of lambdas: a piece, the place in it, the coefficients of a basis function
N, U, C = f"{PREFIX}n", f"{PREFIX}u", f"{PREFIX}c"


def _fit_spline(engine: Engine, source: str, call: Call) -> Learnt:
    x, parts = finite(call), call["n_knots"] - 1
    n, low, high = engine.row(f"select count({x}), min({x}), max({x}) from {source}")
    if n == 0:
        return Learnt()
    if low == high:
        raise call.refuse(
            f"all {n} values are {low}, and knots need two different ones; leave the column out."
        )
    knots = [low + (high - low) * (i / parts) for i in range(parts)] + [high]
    if call["knots"] == "quantile":
        knots = sorted(set(quantiles(engine, source, x, n, parts)))
    return Learnt({}, number_values(knots, "knot"))


def _spline(call: Call, learnt: Learnt) -> str:
    knots = np.array(learnt.sequence("knot"))
    if not len(knots):
        return "NULL::double[]"
    x = given = f"{call.x}::double"
    pieces = basis_pieces(knots, call["degree"])
    low, high = double(float(knots[0])), double(float(knots[-1]))
    origins, widths = knots[:-1].tolist(), np.diff(knots).tolist()
    number = rank_of(x, knots[1:-1].tolist()) + " + 1"
    if call["extrapolation"] == "constant":
        x = f"(case when {x} < {low} then {low} when {x} > {high} then {high} else {x} end)"
    else:
        first, last = _beyond(pieces, np.diff(knots))
        pieces = np.concatenate([pieces, first[None], last[None]])
        origins, widths = [*origins, float(knots[0]), float(knots[-1])], [*widths, 1.0, 1.0]
        n = len(knots) - 1
        number = (
            f"case when {x} < {low} then {n + 1} when {x} > {high} then {n + 2} else {number} end"
        )
    if not call["include_bias"]:
        pieces = pieces[:, :-1]
    table = ", ".join(f"[{', '.join(map(_listed, piece))}]" for piece in pieces)
    value = f"{C}[-1]"
    for p in range(call["degree"], 0, -1):
        value = f"({value} * {U} + {C}[{p}])"
    return (
        f"(case when {given} <= 'inf'::double then list_transform([{number}], lambda {N}: "
        f"list_transform([({x} - {doubles(origins)}[{N}]) / {doubles(widths)}[{N}]], "
        f"lambda {U}: list_transform([{table}][{N}], lambda {C}: {value}))[1])[1] end)"
    )


def _listed(coefficients: Array) -> str:
    return doubles(coefficients.tolist())


def _beyond(pieces: Array, widths: Array) -> tuple[Array, Array]:
    """The straight lines that go on from either end, in x less the end."""
    first, last = np.zeros_like(pieces[0]), np.zeros_like(pieces[0])
    powers = np.arange(pieces.shape[2])
    first[:, 0], last[:, 0] = pieces[0, :, 0], pieces[-1].sum(axis=1)
    if pieces.shape[2] > 1:
        first[:, 1] = pieces[0, :, 1] / widths[0]
        last[:, 1] = (pieces[-1] * powers).sum(axis=1) / widths[-1]
    return first, last


FUNCTIONS = (
    Function(
        "SPLINE",
        _spline,
        arguments=(NUMBER,),
        settings=(
            Setting("n_knots", 5, *at_least(2, 1000)),
            Setting("degree", 3, *at_least(0, 5)),
            Setting("knots", "uniform", *one_of("uniform", "quantile")),
            Setting("extrapolation", "constant", *one_of("constant", "linear")),
            Setting("include_bias", True, is_boolean, "TRUE or FALSE"),
        ),
        fit=_fit_spline,
    ),
)

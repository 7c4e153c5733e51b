"""Numbers by their rank: the quantile transform, limits for outliers, and bins.

All three look at every value, where scikit-learn draws 10,000 (QuantileTransformer) or 200,000
(KBinsDiscretizer) of more; its ``subsample=None`` gives ours. NaN and infinities are not learnt
from; a NaN stays one, and is in no bin (NULL).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

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
    is_numeric,
    number_values,
    one_of,
)
from mlpond.models.preprocessing.one_dimension import centres_of
from mlpond.sql.templates.lambdas import PREFIX
from mlpond.sql.templates.quoting import double, doubles

K = f"{PREFIX}k"  # parameter of a lambda: a rank

# How near its ends the normal output comes, as in scikit-learn.
EDGE = 1e-7
LEAST_BIN = 1e-8  # width of a bin below which it is merged, as in scikit-learn
LEAST, MOST = -5.199337582605575, 5.19933758270342  # of the normal output, at these ends


def is_share(value: Any) -> bool:
    """Tell whether a setting is a number in [0, 1]."""
    return is_numeric(value) and 0 <= value <= 1


def _fit_quantiles(engine: Engine, source: str, call: Call) -> Learnt:
    n, rows = engine.row(f"select count({finite(call)}), count(*) from {source}")
    if n == 0:
        return Learnt()
    parts = max(min(call["n_quantiles"], rows), 1) - 1
    found = quantiles(engine, source, finite(call), n, max(parts, 1))
    return Learnt({}, number_values(found[: parts + 1], "quantile"))


def _quantile_transformer(call: Call, learnt: Learnt) -> str:
    knots = learnt.sequence("quantile")
    if not knots:
        return "NULL::double"
    x, last = f"{call.x}::double", max(len(knots) - 1, 1)
    values = sorted(set(knots))
    first = [knots.index(v) / last for v in values]
    until = [(knots.index(v) + knots.count(v) - 1) / last for v in values]
    # a value that is a quantile several times stands in their middle; the ends stand at 0 and 1
    middle = [(f + u) / 2.0 for f, u in zip(first, until, strict=True)]
    middle[-1] = until[-1] = 1.0
    middle[0] = 0.0
    slopes = [
        (f - u) / (b - a) for u, f, a, b in zip(until, first[1:], values, values[1:], strict=False)
    ] + [0.0]
    at = doubles(values)
    share = (
        f"list_transform([{rank_of(x, values)}], lambda {K}: case when {x} is null then null "
        f"when {K} = 0 then 0e0 when {at}[{K}] = {x} then {doubles(middle)}[{K}] "
        f"when {K} = {len(values)} then case when isnan({x}) then {x} else 1e0 end "
        f"else {doubles(until)}[{K}] + ({x} - {at}[{K}]) * {doubles(slopes)}[{K}] end)[1]"
    )
    if call["output_distribution"] == "uniform":
        return f"({share})"
    return (
        f"(case when {x} is null or isnan({x}) then {x} "
        f"when {x} - {double(EDGE)} < {double(values[0])} then {double(LEAST)} "
        f"when {x} + {double(EDGE)} > {double(values[-1])} then {double(MOST)} "
        f"else least(greatest(ml.normal_quantile({share}), {double(LEAST)}), {double(MOST)}) end)"
    )


def _limits(call: Call) -> Mapping[str, str]:
    return {
        f"{end}_limit": f"quantile_cont({finite(call)}, {double(call[end])})"
        for end in ("lower", "upper")
    }


def _check_limits(call: Call) -> None:
    if call["lower"] >= call["upper"]:
        raise call.refuse(
            f"lower is {call['lower']} and upper {call['upper']}; lower must be less than upper."
        )


def _winsorizer(call: Call, learnt: Learnt) -> str:
    lower, upper = learnt.numbers["lower_limit"], learnt.numbers["upper_limit"]
    if lower is None or upper is None:
        return "NULL::double"
    x = f"{call.x}::double"
    return (
        f"(case when {x} < {double(lower)} then {double(lower)} "
        f"when {x} > {double(upper)} and not isnan({x}) then {double(upper)} else {x} end)"
    )


def _fit_bins(engine: Engine, source: str, call: Call) -> Learnt:
    bins, x = call["n_bins"], finite(call)
    n, low, high = engine.row(f"select count({x}), min({x}), max({x}) from {source}")
    if n == 0:
        return Learnt()
    if low == high:
        return Learnt({}, number_values([low, high], "edge"))
    edges = [low + (high - low) * (i / bins) for i in range(bins + 1)]
    if call["strategy"] == "quantile":
        edges = quantiles(engine, source, x, n, bins)
    elif call["strategy"] == "kmeans":
        start = [(a + b) / 2.0 for a, b in zip(edges, edges[1:], strict=False)]
        centres = centres_of(engine, source, x, start)
        edges = [low, *((a + b) / 2.0 for a, b in zip(centres, centres[1:], strict=False)), high]
    if call["strategy"] != "uniform":
        edges = [edges[0]] + [
            b for a, b in zip(edges, edges[1:], strict=False) if b - a > LEAST_BIN
        ]
    return Learnt({}, number_values(edges, "edge"))


def _kbins(call: Call, learnt: Learnt) -> str:
    edges = learnt.sequence("edge")
    names = call["output_format"] == "bucket_names"
    if not edges:
        return "NULL::varchar" if names else "NULL::bigint"
    x = f"{call.x}::double"
    number = f"1 + {rank_of(x, edges[1:-1])}"
    value = f"'bin_' || ({number})" if names else f"({number})::bigint"
    return f"(case when {x} <= 'inf'::double then {value} end)"


FUNCTIONS = (
    Function(
        "QUANTILE_TRANSFORMER",
        _quantile_transformer,
        arguments=(NUMBER,),
        settings=(
            Setting("n_quantiles", 1000, *at_least(1, 10_000)),
            Setting("output_distribution", "uniform", *one_of("uniform", "normal")),
        ),
        fit=_fit_quantiles,
    ),
    Function(
        "WINSORIZER",
        _winsorizer,
        arguments=(NUMBER,),
        settings=(
            Setting("lower", 0.05, is_share, "a number in [0, 1]"),
            Setting("upper", 0.95, is_share, "a number in [0, 1]"),
        ),
        aggregates=_limits,
        check=_check_limits,
    ),
    Function(
        "KBINS",
        _kbins,
        arguments=(NUMBER,),
        settings=(
            Setting("n_bins", 5, *at_least(2, 10_000)),
            Setting("strategy", "quantile", *one_of("uniform", "quantile", "kmeans")),
            Setting("output_format", "bucket_names", *one_of("bucket_names", "bucket_numbers")),
        ),
        fit=_fit_bins,
    ),
)

"""Scalers: numbers brought to a common scale.

NULL stays NULL and NaN stays NaN; only finite numbers are learnt from. Where there are none the
result is NULL, and a column that never varies becomes 0.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mlpond.models.preprocessing.function import (
    Call,
    Found,
    Function,
    Learnt,
    Setting,
    finite,
    is_boolean,
    is_numeric,
    number,
)
from mlpond.sql.templates.quoting import doubles


def _moments(call: Call) -> Mapping[str, str]:
    x = finite(call)
    return {"mean": f"avg({x})", "stddev": f"stddev_samp({x})"}


def _standard_scaler(call: Call, learnt: Learnt) -> str:
    mean, stddev = number(learnt.numbers["mean"]), number(learnt.numbers["stddev"])
    return f"ml.scale({call.x}, {mean}, {stddev})"


def _range(call: Call) -> Mapping[str, str]:
    x = finite(call)
    return {"min": f"min({x})", "max": f"max({x})"}


def _min_max_scaler(call: Call, learnt: Learnt) -> str:
    low, high = number(learnt.numbers["min"]), number(learnt.numbers["max"])
    return f"ml.scale_between({call.x}, {low}, {high})"


def _greatest(call: Call) -> Mapping[str, str]:
    return {"max_abs": f"max(abs({finite(call)}))"}


def _max_abs_scaler(call: Call, learnt: Learnt) -> str:
    greatest = learnt.numbers["max_abs"]
    centre = None if greatest is None else 0.0
    return f"ml.scale({call.x}, {number(centre)}, {number(greatest)})"


def _is_quantile_range(value: Any) -> bool:
    return (
        isinstance(value, list)
        and len(value) == 2
        and all(is_numeric(v) for v in value)
        and 0 <= value[0] < value[1] <= 100
    )


def quantiles(call: Call, shares: list[float]) -> str:
    """Elements of the data at shares of the rows, as a list, without interpolation."""
    return f"quantile_disc({finite(call)}, {doubles(shares)})"


def _quantiles(call: Call) -> Mapping[str, str]:
    low, high = call["quantile_range"]
    return {"quantiles": quantiles(call, [low / 100, 0.5, high / 100])}


def _learn_quantiles(call: Call, found: Found) -> Learnt:
    values = found.values["quantiles"] or [None] * 3
    return Learnt(dict(zip(("lower", "median", "upper"), values, strict=True)))


def _robust_scaler(call: Call, learnt: Learnt) -> str:
    low, median, high = (learnt.numbers[key] for key in ("lower", "median", "upper"))
    if low is None or median is None or high is None:
        return f"ml.scale({call.x}, NULL, NULL)"
    centre = median if call["with_median"] else 0.0
    # a column may vary around quantiles that are equal: it is centred only
    spread = high - low if call["with_quantile_range"] and high > low else 1.0
    return f"ml.scale({call.x}, {number(centre)}, {number(spread)})"


FUNCTIONS = (
    Function("STANDARD_SCALER", _standard_scaler, aggregates=_moments),
    Function("MIN_MAX_SCALER", _min_max_scaler, aggregates=_range),
    Function("MAX_ABS_SCALER", _max_abs_scaler, aggregates=_greatest),
    Function(
        "ROBUST_SCALER",
        _robust_scaler,
        settings=(
            Setting(
                "quantile_range", [25, 75], _is_quantile_range,
                "two percentages in ascending order, such as [25, 75]",
            ),
            Setting("with_median", True, is_boolean, "TRUE or FALSE"),
            Setting("with_quantile_range", True, is_boolean, "TRUE or FALSE"),
        ),
        aggregates=_quantiles,
        learn=_learn_quantiles,
    ),
)  # fmt: skip

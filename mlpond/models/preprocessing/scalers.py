"""Scalers: numbers brought to a common scale."""

from __future__ import annotations

from collections.abc import Mapping

from mlpond.models.preprocessing.function import Call, Function, Learnt
from mlpond.sql.templates.quoting import double


def _moments(call: Call) -> Mapping[str, str]:
    x = f"{call.x}::double"
    return {"mean": f"avg({x})", "stddev": f"stddev_samp({x})"}


def _standard_scaler(call: Call, learnt: Learnt) -> str:
    mean, stddev = learnt.numbers["mean"], learnt.numbers["stddev"]
    if mean is None:  # no value at all
        return "NULL::double"
    # a column that never varies has nothing to scale; it becomes 0, and NULL stays NULL
    scale = double(1.0 / stddev) if stddev else "0e0"
    return f"(({call.x}::double - {double(mean)}) * {scale})"


FUNCTIONS = (Function("STANDARD_SCALER", _standard_scaler, aggregates=_moments),)

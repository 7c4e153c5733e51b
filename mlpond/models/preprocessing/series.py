"""Features of a row from other rows of its series: windows over the rows at hand.

ML.LAG(x [, lag])                                  x of so many moments earlier
ML.ROLLING(x, window [, function [, min_values]])  a statistic of a window that ends before the row
ML.EXPANDING(x [, function [, min_values]])        a statistic of all that came before the row
ML.LAST_KNOWN(x)                                   x, or the value known before
ML.LINEAR_INTERPOLATION(x)                         x, or the line between its neighbours

Behind each stands ``OVER ([PARTITION BY a, b] ORDER BY time)``. Models of type transform_only take
them, others do not (they hold rows out). They mean what the table functions
ml.lag_features, ml.rolling_features, ml.expanding_features and ml.interpolate mean: the first three
count moments, see nothing of their own, and are NULL where a key or the time is NULL.
"""

from __future__ import annotations

import re
from typing import Any

from mlpond.models.preprocessing.function import (
    NUMBER,
    REQUIRED,
    Argument,
    Call,
    Function,
    Learnt,
    Series,
    Setting,
    at_least,
    is_count,
    one_of,
)
from mlpond.models.preprocessing.row_features import TIME
from mlpond.sql.templates.quoting import string
from mlpond.sql.templates.renderer import render_text

STATISTICS = {
    "mean": "avg", "sum": "sum", "min": "min", "max": "max", "median": "median",
    "stddev": "stddev_samp", "count": "count",
}  # fmt: skip
ORDERED = Argument("x", expected="anything that has an order")
FUNCTION = Setting("function", "mean", *one_of(*STATISTICS))
MIN_VALUES = Setting("min_values", 1, *at_least(1))
FILLED = '{% import "windows/filling.j2" as f %}{{ f.filled(fill, partition, where, time, value) }}'


def _of_moments(call: Call, aggregate: str, frame: str) -> str:
    return f"{aggregate} over ({_series(call).window} {frame})"


def _series(call: Call) -> Series:
    assert call.series is not None  # its function is one of series
    return call.series


def _where_known(call: Call, sql: str) -> str:
    series = _series(call)
    known = " and ".join(f"{name} is not null" for name in (*series.keys, series.time))
    return f"case when {known} then {sql} end"


def _lag(call: Call, learnt: Learnt) -> str:
    frame = f"groups between {call['lag']} preceding and {call['lag']} preceding"
    return _where_known(call, _of_moments(call, f"max({call.x})", frame))


def _statistic(call: Call, learnt: Learnt) -> str:
    frame, x = _frame(call), f"({call.x})::double"
    found = _of_moments(call, f"{STATISTICS[call['function']]}({x})", frame)
    if call["function"] != "count":
        counted = _of_moments(call, f"count({x})", frame)
        found = f"case when {counted} >= {call['min_values']} then {found} end"
    return _where_known(call, found)


def _frame(call: Call) -> str:
    window = call["window"] if "window" in call.settings else "all"
    if window == "all":
        return "groups between unbounded preceding and 1 preceding"
    if re.fullmatch("[0-9]+", str(window)):
        return f"groups between {window} preceding and 1 preceding"
    return f"range between interval {string(window)} preceding and current row exclude group"


def _is_window(value: Any) -> bool:
    if isinstance(value, str):
        return value == "all" or bool(re.fullmatch(r"0*[1-9][0-9]*( *[A-Za-z].*)?", value))
    return is_count(value) and value >= 1


def _last_known(call: Call, learnt: Learnt) -> str:
    return _filled(call, "last")


def _interpolate(call: Call, learnt: Learnt) -> str:
    return _filled(call, "linear")


def _filled(call: Call, fill: str) -> str:
    series = _series(call)
    value = f"({call.x}){'::double' if fill == 'linear' else ''}"
    sql = render_text(
        FILLED,
        {
            "fill": string(fill), "partition": series.partition, "where": f"ML.{call.function}",
            "time": series.time, "value": value,
        },
        __name__,
    )  # fmt: skip
    return f"case when {series.time} is null then {value} else {sql} end"


def _check_time(call: Call) -> None:
    kind = _series(call).time_type
    if kind.id in ("time", "varchar"):
        raise call.refuse(f"the time has type {kind}; it must be a number, DATE or TIMESTAMP.")


def _check_span(call: Call) -> None:
    kind = _series(call).time_type
    if not TIME.accepts(kind) and _frame(call).startswith("range"):
        raise call.refuse(
            f"window is '{call['window']}', and the time has type {kind}; it must be "
            f"{TIME.expected}. Give a number of moments instead."
        )


FUNCTIONS = (
    Function(
        "LAG",
        _lag,
        arguments=(ORDERED,),
        settings=(Setting("lag", 1, *at_least(1)),),
        over="series",
    ),
    Function(
        "ROLLING",
        _statistic,
        arguments=(NUMBER,),
        settings=(
            Setting(
                "window",
                REQUIRED,
                _is_window,
                "a number of moments from 1 up, a span of time such as '7 days', or 'all'",
            ),
            FUNCTION,
            MIN_VALUES,
        ),
        over="series",
        check=_check_span,
    ),
    Function(
        "EXPANDING",
        _statistic,
        arguments=(NUMBER,),
        settings=(FUNCTION, MIN_VALUES),
        over="series",
    ),
    Function("LAST_KNOWN", _last_known, arguments=(ORDERED,), over="series"),
    Function(
        "LINEAR_INTERPOLATION",
        _interpolate,
        arguments=(NUMBER,),
        over="series",
        check=_check_time,
    ),
)

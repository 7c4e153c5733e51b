"""Vectors of a row: their length, their distance, and vectors of length 1."""

from __future__ import annotations

import math
from typing import Any

from mlpond.models.preprocessing.function import (
    ARRAY,
    NUMBER,
    REQUIRED,
    Argument,
    Call,
    Function,
    Learnt,
    Setting,
    is_null,
    one_of,
)
from mlpond.sql.templates.lambdas import PREFIX
from mlpond.sql.templates.quoting import double, identifier

E, K = f"{PREFIX}e", f"{PREFIX}k"  # parameters of lambdas: an entry, a key
TYPES = ("EUCLIDEAN", "MANHATTAN", "COSINE")


def _is_p(value: Any) -> bool:
    """Whether a setting is 0, at least 1, or infinity, which is text."""
    p = _p(value)
    return p is not None and (p == 0.0 or p >= 1.0)


def _p(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return None
    try:
        p = float(value)
    except ValueError:
        return None
    return None if math.isnan(p) else p


P_VALUES = "0, a number of at least 1, or '+inf'"


def _lp_norm(call: Call, learnt: Learnt) -> str:
    return f"ml.lp_norm({call.x}, {double(_p(call['p']) or 0.0)})"


def _normalizer(call: Call, learnt: Learnt) -> str:
    return f"ml.normalizer({call.x}, {double(_p(call['p']) or 0.0)})"


def _is_vector(kind: Any) -> bool:
    if not ARRAY.accepts(kind):
        return False
    element = kind.children[0][1]
    return NUMBER.accepts(element) or is_null(element)  # that of an empty list


VECTOR = Argument("array", _is_vector, "a list of numbers")


def _is_sparse(kind: Any) -> bool:
    if kind.id != "list" or kind.children[0][1].id not in ("struct", "tuple"):
        return False
    entry = kind.children[0][1].children
    return len(entry) == 2 and NUMBER.accepts(entry[1][1])


def _is_any_vector(kind: Any) -> bool:
    return _is_vector(kind) or _is_sparse(kind)


VECTORS = "a list of numbers or of (key, value)"


def _check_distance(call: Call) -> None:
    if len({_is_sparse(kind) for kind in call.types}) > 1:
        raise call.refuse(
            "one vector is a list of numbers, the other of (key, value); use one form."
        )


def _distance(call: Call, learnt: Learnt) -> str:
    if not _is_sparse(call.types[0]):
        return f"ml.distance({', '.join(call.arguments)}, '{call['type']}')"
    read = [_accessors(kind) for kind in call.types]
    both = list(zip(call.arguments, read, strict=True))
    keys = ", ".join(f"list_transform({sql}, lambda {E}: {E}{key})" for sql, (key, _) in both)
    dense = ", ".join(
        # a key that a vector lacks is 0 in it
        f"list_transform(list_distinct(list_concat({keys})), lambda {K}: coalesce(list_sum("
        f"list_transform(list_filter({sql}, lambda {E}: {E}{key} = {K}), "
        f"lambda {E}: ({E}{value})::double)), 0e0))"
        for sql, (key, value) in both
    )
    return f"ml.distance({dense}, '{call['type']}')"


def _accessors(kind: Any) -> list[str]:
    """How key and value of an entry are reached: by name, or by position."""
    entry = kind.children[0][1]
    if entry.id != "struct":
        return ["[1]", "[2]"]
    return [f".{identifier(name)}" for name, _ in entry.children]


FUNCTIONS = (
    Function(
        "LP_NORM",
        _lp_norm,
        arguments=(VECTOR,),
        settings=(Setting("p", REQUIRED, _is_p, P_VALUES),),
        over="none",
    ),
    Function(
        "NORMALIZER",
        _normalizer,
        arguments=(VECTOR,),
        settings=(Setting("p", 2, _is_p, P_VALUES),),
        over="none",
    ),
    Function(
        "DISTANCE",
        _distance,
        arguments=(
            Argument("a", _is_any_vector, VECTORS),
            Argument("b", _is_any_vector, VECTORS),
        ),
        settings=(Setting("type", "EUCLIDEAN", *one_of(*TYPES)),),
        over="none",
        check=_check_distance,
    ),
)

"""Combinations of the fields of a STRUCT: crossed categories, products of numbers."""

from __future__ import annotations

from mlpond.models.features import is_number
from mlpond.models.preprocessing.function import STRUCT, Call, Function, Learnt, Setting, at_least
from mlpond.models.preprocessing.lookup import as_text
from mlpond.sql.dialect.combinations import (
    MOST_FIELDS,
    feature_cross,
    interactions,
    polynomial_expand,
)


def _fields(call: Call) -> list[tuple[str, str]]:
    return [(name, sql) for name, sql, _ in call.fields()]


def _check(call: Call, least: int = 2, most: int = MOST_FIELDS) -> None:
    n = len(call.fields()) if call.types[0].id == "struct" else 0
    if not least <= n <= most:
        raise call.refuse(f"the STRUCT has {n} fields; it must have {least} to {most}.")


def check_numbers(call: Call, most: int = MOST_FIELDS) -> None:
    """Refuse a STRUCT with too many fields, or with one that is no number."""
    _check(call, 1, most)
    for name, _, kind in call.fields():
        if not is_number(kind):
            raise call.refuse(f"the field {name} has type {kind}; it must be a number.")


def _feature_cross(call: Call, learnt: Learnt) -> str:
    fields = [(name, as_text(f"({sql})", kind)) for name, sql, kind in call.fields()]
    return feature_cross(fields, call["degree"])


def _interactions(call: Call, learnt: Learnt) -> str:
    return interactions(_fields(call), call["degree"])


def _polynomial_expand(call: Call, learnt: Learnt) -> str:
    return polynomial_expand(_fields(call), call["degree"])


FUNCTIONS = (
    Function(
        "FEATURE_CROSS",
        _feature_cross,
        arguments=(STRUCT,),
        settings=(Setting("degree", 2, *at_least(2, 4)),),
        over="none",
        check=_check,
    ),
    Function(
        "INTERACTIONS",
        _interactions,
        arguments=(STRUCT,),
        settings=(Setting("degree", 2, *at_least(2, 4)),),
        over="none",
        check=check_numbers,
    ),
    Function(
        "POLYNOMIAL_EXPAND",
        _polynomial_expand,
        arguments=(STRUCT,),
        settings=(Setting("degree", 2, *at_least(1, 4)),),
        over="none",
        check=check_numbers,
    ),
)

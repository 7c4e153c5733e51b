"""Imputation: what stands in for NULL, and among numbers for NaN."""

from __future__ import annotations

from collections.abc import Mapping

from mlpond.models.features import is_number
from mlpond.models.preprocessing.function import (
    CATEGORY,
    REQUIRED,
    Call,
    Entry,
    Found,
    Function,
    Learnt,
    Setting,
    Tally,
    finite,
    number,
    one_of,
)
from mlpond.models.preprocessing.lookup import category_of
from mlpond.sql.templates.quoting import string


def _is_numeric(call: Call) -> bool:
    return is_number(call.types[0])


def _check(call: Call) -> None:
    if call["strategy"] != "most_frequent" and not _is_numeric(call):
        raise call.refuse(
            f"strategy is '{call['strategy']}', but x has type {call.types[0]}; cast it to a "
            "number or use 'most_frequent'."
        )


def _aggregates(call: Call) -> Mapping[str, str]:
    x = finite(call) if _is_numeric(call) else ""
    # the median is an element of the data, as everywhere in BigQuery ML
    known = {"mean": f"avg({x})", "median": f"quantile_disc({x}, 5e-1)"}
    strategy = call["strategy"]
    return {strategy: known[strategy]} if strategy in known else {}


def _tally(call: Call) -> Tally:
    key = finite(call) if _is_numeric(call) else category_of(call)
    tail = f"having ({key}) is not null order by count(*) desc, 1 limit 1"
    return Tally((key,), {"n": "count(*)"}, tail)


def _learn(call: Call, found: Found) -> Learnt:
    if call["strategy"] != "most_frequent":
        return Learnt({call["strategy"]: found.values[call["strategy"]]})
    value = found.groups[0][0][0] if found.groups else None
    if _is_numeric(call):
        return Learnt({"most_frequent": value})
    return Learnt({}, (Entry("most_frequent", None, value),))


def _imputer(call: Call, learnt: Learnt) -> str:
    if not _is_numeric(call):
        text, x = learnt.text("most_frequent"), category_of(call)
        return x if text is None else f"coalesce({x}, {string(text)})"
    return f"ml.impute({call.x}, {number(learnt.numbers[call['strategy']])})"


FUNCTIONS = (
    Function(
        "IMPUTER",
        _imputer,
        arguments=(CATEGORY,),
        settings=(Setting("strategy", REQUIRED, *one_of("mean", "median", "most_frequent")),),
        aggregates=_aggregates,
        tally=lambda call: _tally(call) if call["strategy"] == "most_frequent" else None,
        learn=_learn,
        check=_check,
    ),
)

"""What the rows of a group have in common: its mean as a feature, or in place of a NULL.

    ML.GROUP_STATISTIC(x, group [, statistic])   mean, median, min, max or stddev of x in the group
    ML.GROUP_IMPUTER(x, group [, strategy])      x, and where it is NULL or NaN the mean, median or
                                                 most frequent value of the group

NULL is a group of its own. A group that was not seen, or in which x is always NULL, has the value
of all rows; if x is NULL in all of them, the result is NULL. Of several most frequent values the
least is taken.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mlpond.models.preprocessing.function import (
    CATEGORY,
    NUMBER,
    Argument,
    Call,
    Entry,
    Found,
    Function,
    Learnt,
    Setting,
    Tally,
    finite,
    number_categories,
    one_of,
)
from mlpond.models.preprocessing.lookup import category_of, looked_up, text_of
from mlpond.sql.templates.quoting import double, string

AGGREGATES = {
    "mean": "avg",
    "median": "median",
    "min": "min",
    "max": "max",
    "stddev": "stddev_samp",
}
GROUP = Argument("group", CATEGORY.accepts, CATEGORY.expected)


def _aggregate(call: Call, statistic: str) -> Mapping[str, str]:
    return {"value": f"{AGGREGATES[statistic]}({finite(call)})"}


def _learn_statistic(call: Call, found: Found) -> Learnt:
    values = {key[0]: row["value"] for key, row in found.groups}
    return _stored(values, found.values["value"], lambda v: {"number": v})


def _stored(values: dict[str | None, Any], every: Any, write: Any) -> Learnt:
    """A value for each group, for NULL, and for any other group."""
    names = sorted(group for group in values if group is not None)
    chosen = [values[name] for name in names] + [values.get(None), None]
    entries = [
        Entry("value", i, **write(every if value is None else value))
        for i, value in enumerate(chosen, start=1)
    ]
    return Learnt({}, (*number_categories(names, "group"), *entries))


def _group_statistic(call: Call, learnt: Learnt) -> str:
    values = [
        "NULL::double" if e.number is None else double(e.number) for e in learnt.listed("value")
    ]
    return looked_up(call, [text for _, text in learnt.categories("group")], values, 1)


def _check_imputed(call: Call) -> None:
    kind = call.types[0]
    if call["strategy"] != "most_frequent" and not NUMBER.accepts(kind):
        raise call.refuse(
            f"x has type {kind}, which has no {call['strategy']}; use 'most_frequent'."
        )


def _known(call: Call) -> str:
    """SQL of x, NULL where it is NaN."""
    if call.types[0].id in ("float", "double"):
        return f"(case when not isnan({call.x}) then {call.x} end)"
    return call.x


def _counted(call: Call) -> str:
    """SQL of x for a mode: as text where Python may write a value otherwise than DuckDB."""
    return _known(call) if NUMBER.accepts(call.types[0]) else f"{call.x}::varchar"


def _tally_imputed(call: Call) -> Tally:
    if call["strategy"] == "most_frequent":
        return Tally((category_of(call, 1), _counted(call)), {"n": "count(*)"})
    return Tally((category_of(call, 1),), _aggregate(call, call["strategy"]))


def _aggregates_imputed(call: Call) -> Mapping[str, str]:
    return {} if call["strategy"] == "most_frequent" else _aggregate(call, call["strategy"])


def _learn_imputed(call: Call, found: Found) -> Learnt:
    if call["strategy"] != "most_frequent":
        return _learn_statistic(call, found)
    counts: dict[Any, dict[Any, int]] = {}
    every: dict[Any, int] = {}
    for (group, x), row in found.groups:
        counts.setdefault(group, {})
        if x is not None:
            counts[group][x] = row["n"]
            every[x] = every.get(x, 0) + row["n"]
    modes = {group: _mode(values) for group, values in counts.items()}
    return _stored(modes, _mode(every), lambda v: {"text": None if v is None else text_of(v)})


def _mode(counts: dict[Any, int]) -> Any:
    most = max(counts.values(), default=0)
    return min((x for x, n in counts.items() if n == most), default=None)


def _group_imputer(call: Call, learnt: Learnt) -> str:
    if call["strategy"] != "most_frequent":
        return f"ml.impute({call.x}, {_group_statistic(call, learnt)})"
    kind = call.types[0]
    values = [
        f"{'NULL' if e.text is None else string(e.text)}::{kind}" for e in learnt.listed("value")
    ]
    names = [text for _, text in learnt.categories("group")]
    return f"coalesce({_known(call)}, {looked_up(call, names, values, 1)})"


FUNCTIONS = (
    Function(
        "GROUP_STATISTIC",
        _group_statistic,
        arguments=(NUMBER, GROUP),
        settings=(Setting("statistic", "mean", *one_of(*AGGREGATES)),),
        aggregates=lambda call: _aggregate(call, call["statistic"]),
        tally=lambda call: Tally((category_of(call, 1),), _aggregate(call, call["statistic"])),
        learn=_learn_statistic,
    ),
    Function(
        "GROUP_IMPUTER",
        _group_imputer,
        arguments=(CATEGORY, GROUP),
        settings=(Setting("strategy", "mean", *one_of("mean", "median", "most_frequent")),),
        aggregates=_aggregates_imputed,
        tally=_tally_imputed,
        learn=_learn_imputed,
        check=_check_imputed,
    ),
)

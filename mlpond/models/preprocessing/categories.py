"""Categories grouped, put in an order, and counted.

ML.RARE_GROUPER(x [, threshold] [, other])   rare categories as one, by share or by count
ML.ORDINAL_ENCODER(x, order)                 the place in a given order, from 1
ML.COUNT_ENCODER(x [, unit])                 how often a category is, as count or as share

                 a category not seen   NULL
RARE_GROUPER     other                 NULL
ORDINAL_ENCODER  NULL                  NULL; a training row outside the order is an error
COUNT_ENCODER    0                     a category of its own, counted
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

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
    is_numeric,
    is_positive,
    number_categories,
    one_of,
)
from mlpond.models.preprocessing.lookup import category_of, known, looked_up, text_of
from mlpond.sql.templates.quoting import double, doubles, string


def _tally(call: Call) -> Tally:
    return Tally((category_of(call),), {"n": "count(*)"})


def _counts(found: Found) -> dict[str | None, int]:
    return {key[0]: row["n"] for key, row in found.groups}


def _learn_frequent(call: Call, found: Found) -> Learnt:
    counts, threshold = _counts(found), call["threshold"]
    least = threshold * sum(counts.values()) if threshold < 1 else threshold
    return Learnt(
        {"least": float(least)},
        number_categories(sorted(c for c, n in counts.items() if c is not None and n >= least)),
    )


def _rare_grouper(call: Call, learnt: Learnt) -> str:
    names = [text for _, text in learnt.categories()]
    value = string(call["other"])
    if names:
        value = f"coalesce({known(category_of(call), names)}::varchar, {value})"
    return f"(case when {call.x} is not null then {value} end)"


def _order(call: Call) -> list[Any]:
    """The categories in their order: as numbers if x and all of them are, else as text."""
    order = call["order"]
    if is_number(call.types[0]) and all(map(is_numeric, order)):
        return list(map(float, order))
    return [text_of(value) for value in order]


def _check_order(call: Call) -> None:
    names = list(map(str, _order(call)))
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise call.refuse(f"the order names {', '.join(twice)} more than once.")


def _is_order(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(v is not None for v in value)


def _learn_order(call: Call, found: Found) -> Learnt:
    order = _order(call)
    read = type(order[0])
    outside = sorted(c for c in _counts(found) if c is not None and read(c) not in order)
    names = [text_of(value) for value in call["order"]]
    if outside:
        more = f" and {len(outside) - 5} more" if len(outside) > 5 else ""
        raise call.refuse(
            f"the training rows hold {', '.join(map(string, outside[:5]))}{more}, which the order "
            f"{', '.join(map(string, names))} does not name; add them, or make them NULL."
        )
    return Learnt({}, number_categories(names))


def _ordinal_encoder(call: Call, learnt: Learnt) -> str:
    order = _order(call)
    if isinstance(order[0], float):  # 2, 2.0 and 2.00 are one category
        return f"ml.ordinal_encoder({call.x}, {doubles(order)})"
    names = [text for _, text in learnt.categories()]
    return f"(enum_code({known(category_of(call), names)})::bigint + 1)"


def _learn_counts(call: Call, found: Found) -> Learnt:
    counts = _counts(found)
    total = sum(counts.values()) if call["unit"] == "share" else 1
    names = sorted(category for category in counts if category is not None)
    entries = [
        Entry("category", i, name, counts[name] / total) for i, name in enumerate(names, start=1)
    ]
    return Learnt({"null": counts.get(None, 0) / max(total, 1)}, tuple(entries))


def _count_encoder(call: Call, learnt: Learnt) -> str:
    found = learnt.listed("category")
    numbers = [entry.number or 0.0 for entry in found] + [learnt.numbers["null"] or 0.0, 0.0]
    return looked_up(call, [entry.text or "" for entry in found], list(map(double, numbers)))


def _settings(*settings: Setting) -> Mapping[str, Any]:
    return {"arguments": (CATEGORY,), "settings": settings, "tally": _tally}


FUNCTIONS = (
    Function(
        "RARE_GROUPER",
        _rare_grouper,
        learn=_learn_frequent,
        **_settings(
            Setting("threshold", 0.05, is_positive, "a share below 1, or a count from 1 up"),
            Setting("other", "other", lambda v: isinstance(v, str), "text"),
        ),
    ),
    Function(
        "ORDINAL_ENCODER",
        _ordinal_encoder,
        learn=_learn_order,
        check=_check_order,
        **_settings(Setting("order", REQUIRED, _is_order, "a list of categories, least first")),
    ),
    Function(
        "COUNT_ENCODER",
        _count_encoder,
        learn=_learn_counts,
        **_settings(Setting("unit", "count", *one_of("count", "share"))),
    ),
)

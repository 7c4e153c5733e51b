"""Encoders: categories turned into numbers."""

from __future__ import annotations

from mlpond.models.preprocessing.function import (
    CATEGORY,
    Call,
    Entry,
    Found,
    Function,
    Learnt,
    Setting,
    Tally,
    at_least,
    number_categories,
    one_of,
)
from mlpond.sql.templates.quoting import string

TOP_K = Setting("top_k", 32_000, *at_least(1))
FREQUENCY_THRESHOLD = Setting("frequency_threshold", 5, *at_least(0))


def count_categories(call: Call) -> Tally:
    """Count the rows of every category, as text."""
    return Tally((f"{call.x}::varchar",), {"n": "count(*)"})


def kept(call: Call, found: Found) -> list[str]:
    """The most frequent categories that are frequent enough, by frequency, ties by name."""
    counts = [
        (key[0], row["n"])
        for key, row in found.groups
        if key[0] is not None and row["n"] >= call["frequency_threshold"]
    ]
    return [name for name, _ in sorted(counts, key=lambda c: (-c[1], c[0]))][: call["top_k"]]


def index_of(call: Call, learnt: Learnt) -> str:
    """SQL of the index of the row's category; 0 for NULL and for what was not kept."""
    names = ", ".join(string(text) for _, text in learnt.categories())
    if not names:
        return "0::bigint"
    # an ENUM numbers its values from 0, and a value outside it is NULL: index 0
    return f"coalesce(enum_code(try_cast({call.x}::varchar as enum({names})))::bigint + 1, 0)"


def _learn_one_hot(call: Call, found: Found) -> Learnt:
    names = kept(call, found)
    dropped: tuple[Entry, ...] = ()
    if call["drop"] == "most_frequent" and names:
        dropped = (Entry("dropped", None, names[0]),)
    return Learnt({}, (*number_categories(sorted(names)), *dropped))


def _one_hot_encoder(call: Call, learnt: Learnt) -> str:
    value, dropped = "1e0", learnt.text("dropped")
    if dropped is not None:
        value = f"case when {call.x}::varchar = {string(dropped)} then 0e0 else 1e0 end"
    return f"[{{'index': {index_of(call, learnt)}, 'value': {value}}}]"


FUNCTIONS = (
    Function(
        "ONE_HOT_ENCODER",
        _one_hot_encoder,
        arguments=(CATEGORY,),
        settings=(
            Setting("drop", "none", *one_of("none", "most_frequent")),
            TOP_K,
            FREQUENCY_THRESHOLD,
        ),
        tally=count_categories,
        learn=_learn_one_hot,
    ),
)

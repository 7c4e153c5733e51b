"""Encoders: categories turned into numbers.

A category is kept if it is frequent enough and among the most frequent. The kept ones are numbered
from 1 in alphabetical order; NULL, what was not kept and what was never seen share the number 0.
"""

from __future__ import annotations

from mlpond.models.preprocessing.function import (
    ARRAY,
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
from mlpond.models.preprocessing.lookup import as_text, category_of, known
from mlpond.sql.templates.lambdas import PREFIX
from mlpond.sql.templates.quoting import string

TOP_K = Setting("top_k", 32_000, *at_least(1, 1_000_000))
FREQUENCY_THRESHOLD = Setting("frequency_threshold", 5, *at_least(0))


def most_frequent(call: Call, key: str) -> str:
    """The end of the query that finds the kept categories, the most frequent first."""
    return (
        f"having count(*) >= {call['frequency_threshold']} and ({key}) is not null "
        f"order by count(*) desc, 1 limit {call['top_k']}"
    )


def count_categories(call: Call) -> Tally:
    """Count the rows of every category that is kept, as text."""
    key = category_of(call)
    return Tally((key,), {"n": "count(*)"}, most_frequent(call, key))


def element_of(call: Call, element: str) -> str:
    """SQL of an element of the list that is the argument, as the text of its category."""
    kind = call.types[0]
    return as_text(element, kind.children[0][1] if ARRAY.accepts(kind) else kind)  # or NULL


def texts_of(call: Call) -> str:
    """SQL of the list that is the argument, its elements as the texts of their categories."""
    element = f"{PREFIX}e"
    text = element_of(call, element)
    if text == f"{element}::varchar":
        return f"{call.x}::varchar[]"
    return f"list_transform({call.x}, lambda {element}: {text})"


def count_elements(call: Call, elements: str = "") -> Tally:
    """Count the elements that are kept of lists, by default of those of the argument."""
    element = f"{PREFIX}e"
    rows = (
        f"(select {element_of(call, element)} as category "
        f"from (select unnest({elements or call.x}) as {element} from "
    )
    return Tally(
        ("category",),
        {"n": "count(*)"},
        most_frequent(call, "category"),
        lambda source: f"{rows}{source}))",
    )


def keep(call: Call, found: Found) -> Learnt:
    """Number the kept categories in alphabetical order."""
    return Learnt({}, number_categories(sorted(key[0] for key, _ in found.groups)))


def index_of(category: str, learnt: Learnt) -> str:
    """SQL of the index of a category; 0 for NULL and for what was not kept."""
    names = [text for _, text in learnt.categories()]
    if not names:
        return "0::bigint"
    # an ENUM numbers its values from 0, and a value outside it is NULL: index 0
    return f"coalesce(enum_code({known(category, names)})::bigint + 1, 0)"


def _label_encoder(call: Call, learnt: Learnt) -> str:
    return index_of(category_of(call), learnt)


def _learn_one_hot(call: Call, found: Found) -> Learnt:
    learnt = keep(call, found)
    if call["drop"] == "none" or not found.groups:
        return learnt
    first = min(found.groups, key=lambda group: (-group[1]["n"], group[0][0]))
    return Learnt({}, (*learnt.entries, Entry("dropped", None, first[0][0])))


def _one_hot_encoder(call: Call, learnt: Learnt) -> str:
    value, dropped = "1e0", learnt.text("dropped")
    if dropped is not None:
        value = f"case when {category_of(call)} = {string(dropped)} then 0e0 else 1e0 end"
    return f"[{{'index': {index_of(category_of(call), learnt)}, 'value': {value}}}]"


def indices_of(call: Call, learnt: Learnt) -> str:
    """SQL of the indices of the elements of a list."""
    element = f"{PREFIX}e"
    index = index_of(element_of(call, element), learnt)
    return f"list_transform({call.x}, lambda {element}: {index})"


def _multi_hot_encoder(call: Call, learnt: Learnt) -> str:
    return f"ml.hot({indices_of(call, learnt)})"


FUNCTIONS = (
    Function(
        "LABEL_ENCODER",
        _label_encoder,
        arguments=(CATEGORY,),
        settings=(TOP_K, FREQUENCY_THRESHOLD),
        tally=count_categories,
        learn=keep,
    ),
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
    Function(
        "MULTI_HOT_ENCODER",
        _multi_hot_encoder,
        arguments=(ARRAY,),
        settings=(TOP_K, FREQUENCY_THRESHOLD),
        tally=count_elements,
        learn=keep,
    ),
)

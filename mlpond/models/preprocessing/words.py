"""Words: n-grams of tokens, and documents as counts of the words of a dictionary.

The dictionary holds the terms that come in the most documents, numbered from 1 in alphabetical
order; NULL, what is not in it and what was never seen are the unknown term, 0.
"""

from __future__ import annotations

import math
from typing import Any

from mlpond.engine import Engine
from mlpond.models.preprocessing.encoders import (
    FREQUENCY_THRESHOLD,
    TOP_K,
    count_elements,
    indices_of,
    keep,
    texts_of,
)
from mlpond.models.preprocessing.function import (
    ARRAY,
    REQUIRED,
    Call,
    Entry,
    Found,
    Function,
    Learnt,
    Setting,
    Tally,
    is_count,
)
from mlpond.sql.templates.quoting import doubles, literal, string


def _is_range(value: Any) -> bool:
    if is_count(value):
        return bool(value >= 1)
    return (
        isinstance(value, list)
        and len(value) in (1, 2)
        and all(is_count(v) and v >= 1 for v in value)
        and value[0] <= value[-1]
    )


def _ngrams(call: Call, learnt: Learnt) -> str:
    return f"ml.ngrams({call.x}, {literal(call['range'])}, {string(call['separator'])})"


def _documents(call: Call) -> Tally:
    return count_elements(call, f"list_distinct({texts_of(call)})")


def _bag_of_words(call: Call, learnt: Learnt) -> str:
    return f"ml.index_counts({indices_of(call, learnt)})"


def _fit_frequencies(engine: Engine, source: str, call: Call) -> Learnt:
    """Count the documents of each term, and those with a term outside the dictionary."""
    tally = _documents(call)
    found = dict(
        engine.rows(
            f"select {tally.keys[0]}, count(*) from {tally.rows(source)} group by 1 {tally.tail}"
        )
    )
    learnt = keep(call, Found({}, [((term,), {}) for term in found]))
    unknown = f"list_contains({indices_of(call, learnt)}, 0)"
    documents, strange = engine.row(f"select count({call.x}), count_if({unknown}) from {source}")
    return Learnt(
        {"documents": documents, "unknown_documents": strange},
        tuple(Entry(e.key, e.position, e.text, found[e.text]) for e in learnt.entries),
    )


def _tf_idf(call: Call, learnt: Learnt) -> str:
    n = learnt.numbers["documents"] or 0.0
    frequencies = [learnt.numbers["unknown_documents"], *(e.number for e in learnt.entries)]
    weights = doubles([math.log(1.0 + n / (1.0 + (df or 0.0))) for df in frequencies])
    return f"ml.index_weights({indices_of(call, learnt)}, {weights})"


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


FUNCTIONS = (
    Function(
        "NGRAMS",
        _ngrams,
        arguments=(ARRAY,),
        settings=(
            Setting("range", REQUIRED, _is_range, "a length of at least 1, or [shortest, longest]"),
            Setting("separator", " ", _is_text, "a text"),
        ),
        over="none",
    ),
    Function(
        "BAG_OF_WORDS",
        _bag_of_words,
        arguments=(ARRAY,),
        settings=(TOP_K, FREQUENCY_THRESHOLD),
        tally=_documents,
        learn=keep,
    ),
    Function(
        "TF_IDF",
        _tf_idf,
        arguments=(ARRAY,),
        settings=(TOP_K, FREQUENCY_THRESHOLD),
        fit=_fit_frequencies,
    ),
)

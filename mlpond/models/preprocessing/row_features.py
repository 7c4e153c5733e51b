"""Features of a row alone: nothing is learnt, so that the SQL library has each as ml.<name>.

ML.MISSING_INDICATOR(x)                 1 where x is NULL, else 0
ML.CYCLICAL(x, period)                  STRUCT(sin, cos) of 2π x / period
ML.CALENDAR_PARTS(time [, parts])       STRUCT of parts of a date or time; all if none is named
ML.INTERACTIONS(STRUCT(…) [, degree])   numbers and the products of 2, … degree of them
ML.TOKENS(text [, pattern])             the words of a text, in lower case
ML.CHARACTER_NGRAMS(text, n or [lo, hi])  runs of characters
ML.HASHED_FEATURES(x, n)                signed counts of categories or tokens in n columns
"""

from __future__ import annotations

from typing import Any

from mlpond.models.preprocessing.encoders import texts_of
from mlpond.models.preprocessing.function import (
    CATEGORY,
    REQUIRED,
    Argument,
    Call,
    Function,
    Learnt,
    Setting,
    at_least,
    is_count,
    is_positive,
)
from mlpond.models.preprocessing.lookup import category_of
from mlpond.sql.templates.lambdas import PREFIX
from mlpond.sql.templates.quoting import double, string

P = f"{PREFIX}p"  # parameter of a lambda: the parts

PARTS = (
    "year", "quarter", "month", "week", "day", "day_of_year", "day_of_week", "hour", "minute",
    "second", "is_weekend", "is_month_start", "is_month_end",
)  # fmt: skip
TOKEN = r"[\p{L}\p{N}_]{2,}"
TIME = Argument(
    "time", lambda kind: kind.id == "date" or kind.id.startswith("timestamp"), "a DATE or TIMESTAMP"
)
TEXT = Argument("text", lambda kind: kind.id in ("varchar", "enum"), "text")
WORDS = Argument(
    "x",
    lambda kind: CATEGORY.accepts(kind) or kind.id in ("list", "array"),
    "a category, or a list of tokens",
)


def _missing_indicator(call: Call, learnt: Learnt) -> str:
    return f"ml.missing_indicator({call.x})"


def _cyclical(call: Call, learnt: Learnt) -> str:
    return f"ml.cyclical({call.x}, {double(call['period'])})"


def _calendar_parts(call: Call, learnt: Learnt) -> str:
    fields = ", ".join(f"{string(part)}: {P}.{part}" for part in call["parts"])
    return f"list_transform([ml.calendar_parts({call.x})], lambda {P}: {{{fields}}})[1]"


def _are_parts(value: Any) -> bool:
    if not isinstance(value, list) or not value or len(set(map(str, value))) < len(value):
        return False
    return all(part in PARTS for part in value)


def _tokens(call: Call, learnt: Learnt) -> str:
    return f"ml.tokens({call.x}, pattern := {string(call['pattern'])})"


def _lengths(value: Any) -> tuple[int, int]:
    return (value, value) if isinstance(value, int) else (value[0], value[1])


def _are_lengths(value: Any) -> bool:
    if isinstance(value, list):
        return len(value) == 2 and all(map(is_count, value)) and 1 <= value[0] <= value[1]
    return is_count(value) and value >= 1


def _character_ngrams(call: Call, learnt: Learnt) -> str:
    low, high = _lengths(call["n"])
    return f"ml.character_ngrams({call.x}, {low}, {high})"


def _hashed_features(call: Call, learnt: Learnt) -> str:
    is_list = call.types[0].id in ("list", "array")
    tokens = texts_of(call) if is_list else f"[{category_of(call)}]"
    return f"ml.hashed_features({tokens}, {call['n']})"


FUNCTIONS = (
    Function("MISSING_INDICATOR", _missing_indicator, arguments=(Argument("x"),), over="none"),
    Function(
        "CYCLICAL",
        _cyclical,
        settings=(Setting("period", REQUIRED, is_positive, "a number above 0"),),
        over="none",
    ),
    Function(
        "CALENDAR_PARTS",
        _calendar_parts,
        arguments=(TIME,),
        settings=(
            Setting(
                "parts",
                list(PARTS),
                _are_parts,
                f"a list of {', '.join(PARTS)}, none of them twice",
            ),
        ),
        over="none",
    ),
    Function(
        "TOKENS",
        _tokens,
        arguments=(TEXT,),
        settings=(Setting("pattern", TOKEN, lambda v: isinstance(v, str), "a regular expression"),),
        over="none",
    ),
    Function(
        "CHARACTER_NGRAMS",
        _character_ngrams,
        arguments=(TEXT,),
        settings=(
            Setting("n", REQUIRED, _are_lengths, "a length from 1 up, or [shortest, longest]"),
        ),
        over="none",
    ),
    Function(
        "HASHED_FEATURES",
        _hashed_features,
        arguments=(WORDS,),
        settings=(Setting("n", 1024, *at_least(2, 2**24)),),
        over="none",
    ),
)

"""A value as the text of its category, and values by category, as SQL over one row."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mlpond.models.features import is_number
from mlpond.models.preprocessing.function import Call
from mlpond.sql.templates.quoting import string


def text_of(value: Any) -> str:
    """A value as DuckDB casts it to VARCHAR."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def as_text(value: str, kind: Any) -> str:
    """SQL of a value as the text of its category.

    It is the same in every time zone, and for a number of another type than that of the training
    rows: a column that was INTEGER may come as DOUBLE.

    Args:
        value: SQL of the value.
        kind: Its DuckDB type in the training rows.
    """
    if kind.id == "timestamp with time zone":
        return f"ml.utc_text({value})"
    if is_number(kind):
        return f"ml.number_text({value}, NULL::{kind})"
    return f"{value}::varchar"


def category_of(call: Call, argument: int = 0) -> str:
    """SQL of an argument as the text of its category."""
    return as_text(call.arguments[argument], call.types[argument])


def known(category: str, names: Sequence[str]) -> str:
    """SQL of a category as an ENUM of names: NULL for one not among them, by a hash look-up."""
    return f"try_cast({category} as enum({', '.join(map(string, names))}))"


def code_of(call: Call, names: Sequence[str], argument: int = 0) -> str:
    """SQL of a category's number: 1 to n by ``names``, n + 1 for NULL, n + 2 for any other."""
    n, code = len(names), "2"
    if names:
        place = f"enum_code({known(category_of(call, argument), names)})"
        code = f"coalesce({place}::bigint + 1, {n + 2})"
    return f"case when {call.arguments[argument]} is null then {n + 1} else {code} end"


def looked_up(call: Call, names: Sequence[str], values: Sequence[str], argument: int = 0) -> str:
    """SQL of the value of a row's category.

    Args:
        call: The call.
        names: The categories that are known, as text.
        values: SQL of a constant for each of them, for NULL, and for a category that is not known.
        argument: Which argument is the category.
    """
    return f"([{', '.join(values)}][{code_of(call, names, argument)}])"

"""A value by category, as SQL over one row."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mlpond.sql.templates.quoting import string


def text_of(value: Any) -> str:
    """A value as DuckDB casts it to VARCHAR."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def known(category: str, names: Sequence[str]) -> str:
    """SQL of a category as an ENUM of names: NULL for one not among them, by a hash look-up."""
    return f"try_cast({category}::varchar as enum({', '.join(map(string, names))}))"


def code_of(category: str, names: Sequence[str]) -> str:
    """SQL of a category's number: 1 to n by ``names``, n + 1 for NULL, n + 2 for any other."""
    n = len(names)
    code = f"coalesce(enum_code({known(category, names)})::bigint + 1, {n + 2})" if names else "2"
    return f"case when {category} is null then {n + 1} else {code} end"


def looked_up(category: str, names: Sequence[str], values: Sequence[str]) -> str:
    """SQL of the value of a row's category.

    Args:
        category: SQL of the category.
        names: The categories that are known, as text.
        values: SQL of a constant for each of them, for NULL, and for a category that is not known.
    """
    return f"([{', '.join(values)}][{code_of(category, names)}])"

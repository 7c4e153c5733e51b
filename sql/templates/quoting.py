"""Names and values as SQL text: the only place that quotes.

A DOUBLE is written with an exponent and 17 digits, because DuckDB reads ``0.1`` as DECIMAL.
"""

from __future__ import annotations

import datetime
import math
import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from functools import lru_cache
from typing import Any

from sqlglot import exp

from mlpond.errors import InputError

_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")


@lru_cache(maxsize=4096)  # a statement quotes some hundred names, most of them again and again
def identifier(name: str) -> str:
    """Quote one name: ``my "odd" col`` becomes ``"my ""odd"" col"``."""
    if not name:
        raise InputError("identifier: the name is empty; give at least one character.")
    if "\0" in name:
        raise InputError(f"identifier: the name {name!r} holds a NUL character; remove it.")
    return exp.to_identifier(name, quoted=True).sql(dialect="duckdb")


def string(value: str) -> str:
    """Quote text as a SQL string literal."""
    if "\0" in value:
        raise InputError(f"string: {value!r} holds a NUL character, which DuckDB refuses in SQL.")
    # sqlglot escapes backslashes and line breaks in some dialects; DuckDB needs the quote alone
    return "'" + value.replace("'", "''") + "'"


def double(value: float) -> str:
    """Write a number as a DOUBLE literal that reads back bit for bit."""
    value = float(value)
    if math.isnan(value):
        return "'nan'::double"
    if math.isinf(value):
        return "'inf'::double" if value > 0 else "'-inf'::double"
    text = repr(value)
    if "e" not in text:
        text = text.removesuffix(".0") + "e0"
    return text


def doubles(values: Sequence[float]) -> str:
    """Write numbers as a LIST of DOUBLE."""
    if len(values) == 0:
        return "[]::double[]"
    return "[" + ", ".join(double(value) for value in values) + "]"


def literal(value: Any) -> str:
    """Quote a Python value by its type.

    Args:
        value: None, bool, int, float, str, Decimal, date, datetime, time, bytes,
            a list or tuple of these, or a mapping (a STRUCT).

    Raises:
        InputError: the type has no SQL literal.
    """
    if value is None:
        return "NULL"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        return double(value)
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, str):
        return string(value)
    if isinstance(value, datetime.datetime):
        kind = "timestamptz" if value.tzinfo else "timestamp"
        return f"'{value.isoformat(sep=' ')}'::{kind}"
    if isinstance(value, datetime.date):
        return f"'{value.isoformat()}'::date"
    if isinstance(value, datetime.time):
        return f"'{value.isoformat()}'::time"
    if isinstance(value, bytes):
        return "'" + "".join(f"\\x{byte:02X}" for byte in value) + "'::blob"
    if isinstance(value, Mapping):
        fields = ", ".join(f"{string(str(key))}: {literal(item)}" for key, item in value.items())
        return "{" + fields + "}"
    if isinstance(value, Sequence):
        return "[" + ", ".join(literal(item) for item in value) + "]"
    if hasattr(value, "item"):  # a numpy scalar
        return literal(value.item())
    raise InputError(
        f"literal: a value of type {type(value).__name__} has no SQL literal; "
        "accepted are None, bool, int, float, str, Decimal, date, datetime, time, bytes, "
        "lists and mappings of these."
    )


def name_parts(name: str) -> list[str]:
    """Split ``a."b.c".d`` into its unquoted parts; a name that does not parse is one part."""
    parts: list[str] = []
    rest = name
    while True:
        match = re.match(r'"((?:[^"]|"")+)"|([^".]+)', rest)
        if match is None:
            return [name]
        quoted, plain = match.groups()
        parts.append(plain if quoted is None else quoted.replace('""', '"'))
        rest = rest[match.end() :]
        if not rest:
            return parts
        if not rest.startswith("."):
            return [name]
        rest = rest[1:]


def join_parts(parts: Sequence[str]) -> str:
    """Join the parts of a name by dots; the reverse of ``name_parts``."""
    return ".".join(identifier(part) if "." in part or '"' in part else part for part in parts)


def relation(name: str) -> str:
    """Quote the name of a table or view, or pass on a query in parentheses.

    The same rule as the SQL macro ``ml.relation``: dots part schema from table unless they are
    inside double quotes; text that begins with ``(`` is a query.

    Raises:
        InputError: the text in parentheses is not one query.
    """
    if name.lstrip().startswith("("):
        return name.strip()
    return ".".join(identifier(part) for part in name_parts(name))


def is_plain(name: str) -> bool:
    """Tell whether a name needs no quotes to be read back as it is."""
    return bool(_PLAIN.match(name))

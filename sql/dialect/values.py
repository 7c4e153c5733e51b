"""The constants of an OPTIONS list: strings, numbers, arrays, structs and calls."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from sqlglot.tokenizer_core import TokenType

from mlpond.errors import StatementError
from mlpond.sql.dialect.tokens import OPENING, STRINGS, Cursor


@dataclass(frozen=True)
class Call:
    """A call in an option's value, such as ``HPARAM_RANGE(0, 10)``."""

    name: str
    arguments: tuple[Any, ...]


def read_options(cursor: Cursor) -> dict[str, Any]:
    """Read ``(name = value, …)`` into a dictionary with lower-case names.

    Raises:
        StatementError: an option is given twice, or its value is not a constant.
    """
    options: dict[str, Any] = {}
    if not cursor.is_type(TokenType.L_PAREN):
        cursor.fail("expected ( after OPTIONS")
    for argument in cursor.inside().arguments():
        if argument.done:
            raise StatementError("model statement: OPTIONS holds an empty entry between commas.")
        name = argument.name("the name of an option").lower()
        if not argument.is_type(TokenType.EQ):
            argument.fail(f"expected = after the option {name}")
        argument.index += 1
        if name in options:
            raise StatementError(f"model statement: option {name} is given twice.")
        options[name] = read_value(argument)
        if not argument.done:
            argument.fail(f"expected a comma after the value of {name}")
    return options


def read_value(cursor: Cursor) -> Any:
    """Read one constant: its Python value, a Call, or a dict for a STRUCT."""
    token = cursor.token
    if token is None:
        cursor.fail("expected a value")
    kind = token.token_type
    if kind in STRINGS:
        cursor.index += 1
        return token.text
    if kind in (TokenType.DASH, TokenType.PLUS, TokenType.DOT, TokenType.NUMBER):
        return _number(cursor)
    for word, value in (("TRUE", True), ("FALSE", False), ("NULL", None)):
        if cursor.accept(word):
            return value
    if cursor.accept("ARRAY"):
        _skip_type(cursor)
    if cursor.is_type(TokenType.L_BRACKET):
        return cursor.inside().separated(read_value)
    if cursor.is_type(TokenType.L_PAREN):
        return tuple(cursor.inside().separated(read_value))
    if cursor.accept("STRUCT"):
        _skip_type(cursor)
        return read_struct(cursor)
    if re.match(r"[A-Za-z_]", token.text) and kind not in OPENING:
        at, name = cursor.index, cursor.name()
        if cursor.is_type(TokenType.L_PAREN):
            return Call(name.upper(), tuple(cursor.inside().separated(read_value)))
        cursor.index = at
    cursor.fail("expected a constant (string, number, TRUE, FALSE, array or STRUCT)")


def read_struct(cursor: Cursor) -> dict[str, Any] | tuple[Any, ...]:
    """Read ``(value [AS name], …)``: a dict when every field has a name, else a tuple."""
    names: list[str | None] = []
    values = []
    for field in cursor.inside().arguments():
        values.append(read_value(field))
        field.accept("AS")
        names.append(None if field.done else field.name())
    if values and all(name is not None for name in names):
        return {str(name).lower(): value for name, value in zip(names, values, strict=True)}
    return tuple(values)


def _skip_type(cursor: Cursor) -> None:
    """Pass over ``<STRING, FLOAT64>`` after ARRAY or STRUCT."""
    if not cursor.is_type(TokenType.LT):
        return
    depth = 0
    while (token := cursor.token) is not None:
        cursor.index += 1
        depth += token.text.count("<") - token.text.count(">")
        if depth == 0:
            return


def _number(cursor: Cursor) -> int | float:
    """Read ``-1``, ``.5`` (a dot and a number to the tokenizer) or ``1e-3``."""
    text = ""
    while cursor.is_type(TokenType.DASH, TokenType.PLUS, TokenType.DOT, TokenType.NUMBER):
        text += cursor.tokens[cursor.index].text
        cursor.index += 1
    cleaned = text.replace("_", "")
    try:
        return int(cleaned) if re.fullmatch(r"[+-]?\d+", cleaned) else float(cleaned)
    except ValueError:
        cursor.index -= 1
        cursor.fail("expected a number")

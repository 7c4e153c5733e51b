"""Names of lambda parameters that no table or column of a user has.

DuckDB reads ``v.x`` inside ``lambda v: …`` as column x of a table v, if the query around the macro
has one, and only else as field x of the parameter; and ``v.x.y`` as a field of a column x. So
``ml.normal_cdf(1.96)`` FROM a table v would take its x for the value. Templates write short names;
what is installed has longer ones, and fields of fields in brackets.
"""

from __future__ import annotations

import math
import re
from functools import partial

from mlpond.sql.templates import forms

_Scope = tuple[float, frozenset[str]]  # depth of brackets at a lambda, and its names
PREFIX = "__ml_"
_FIELD_OF_FIELD = re.compile(rf"\b({PREFIX}\w+\.\w+)(?=\.[A-Za-z_])")
_KEY_OR_CALL = re.compile(r"\s*(?:\(|:(?!:))")
_TOKEN = re.compile(
    r"""(?P<skip>'(?:[^']|'')*'|"(?:[^"]|"")*"|--[^\n]*|/\*.*?\*/|\x01[^\x01]*\x01)"""
    r"|(?P<lambda>\blambda\s+(?P<names>[A-Za-z_]\w*(?:\s*,\s*[A-Za-z_]\w*)*)\s*:)"
    r"|(?P<name>[A-Za-z_]\w*)"
    r"|(?P<number>\d[\w.]*)"
    r"|(?P<plain>[^\w'\"\x01()\[\]{},/-]+)"
    r"|(?P<other>.)",
    re.DOTALL,
)


def rename_parameters(sql: str, known: frozenset[str] = frozenset()) -> str:
    """Give every lambda parameter of a SQL text the prefix, wherever it is meant.

    Args:
        sql: Statements; text in strings, quoted names and comments stays as it is, and so do marks
            but for the SQL that they may write.
        known: Parameters of the lambdas that the text is a part of.
    """
    if "lambda" not in sql and not known:
        return sql
    out: list[str] = []
    scopes: list[_Scope] = [(-math.inf, known)]
    depth = 0
    for token in _TOKEN.finditer(sql):
        text = token.group()
        if token.group("lambda"):
            names = re.findall(r"\w+", token.group("names"))
            scopes.append((depth, frozenset(names)))
            out.append(f"lambda {', '.join(PREFIX + name.removeprefix(PREFIX) for name in names)}:")
            continue
        if text.startswith(forms.MARK):
            inside = frozenset().union(*(names for _, names in scopes))
            text = forms.with_written(text, partial(rename_parameters, known=inside))
        elif token.group("name") and _is_parameter(sql, token, scopes):
            text = PREFIX + text.removeprefix(PREFIX)  # SQL that has been here before
        elif token.group("other"):
            if text in "([{":
                depth += 1
            elif text in ")]}":
                depth -= 1
            # a lambda ends with the argument that it is
            while scopes and (depth < scopes[-1][0] or (text == "," and depth == scopes[-1][0])):
                scopes.pop()
        out.append(text)
    return _FIELD_OF_FIELD.sub(r"(\1)", "".join(out))


def _is_parameter(sql: str, token: re.Match[str], scopes: list[_Scope]) -> bool:
    """Whether a name is a parameter: not a field, a key, a named argument or a function."""
    if not any(token.group() in names for _, names in scopes):
        return False
    is_field = token.start() > 0 and sql[token.start() - 1] == "."
    return not (is_field or _KEY_OR_CALL.match(sql, token.end()))

"""ML.SPLINE(x) OVER () in a query of a session: learnt from the rows of its FROM … WHERE first.

Most functions with OVER () are macros that hold a window (sql/dialect/preprocessing.py). Those here
learn in several scans, or cross-fit, which no window can; a plain shell has them in TRANSFORM only.
The query is run with what they learnt as constants in it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import duckdb

from mlpond.engine import Engine
from mlpond.errors import InputError
from mlpond.models.preprocessing import FUNCTIONS, learn
from mlpond.models.preprocessing.reading import Placed, Reader, substitute
from mlpond.sql.dialect.preprocessing import LEARNT_FIRST, MACROS_TOO, rows_of
from mlpond.sql.dialect.tokens import OPENING, Cursor, tokenize
from mlpond.sql.templates.lambdas import PREFIX


@dataclass(frozen=True)
class _Rows:
    """The rows of a query: its CTEs, and FROM … WHERE …."""

    ctes: str
    text: str

    def select(self, columns: list[str]) -> str:
        return f"{self.ctes}select {', '.join(columns)} {self.text}"


def learn_in_query(engine: Engine, text: str) -> str:
    """Write a query with what its functions learn from its rows in their places.

    Raises:
        StatementError: a call is not of the form that its function has.
        InputError: the rows cannot be read before the query runs, or do not suit.
    """
    tokens = tokenize(text)
    cursor, found = Cursor(text, tokens), list[tuple[Placed, _Rows]]()
    while not cursor.done:
        if cursor.word() == "ML" and cursor.word(1) == "." and _learns_first(cursor):
            found.append(_read(engine, cursor))
        else:
            cursor.index += 1
    learnt: dict[int, Any] = {}
    for rows in dict.fromkeys(rows for _, rows in found):
        of_rows = [placed for placed, own in found if own == rows]
        arguments = [sql for placed in of_rows for sql in placed.call.arguments]
        names = [f"{PREFIX}{i}" for i in range(len(arguments))]
        columns = [f"{sql} as {name}" for sql, name in zip(arguments, names, strict=True)]
        calls, at = [], 0
        for placed in of_rows:
            width = len(placed.call.arguments)
            own_names = tuple(names[at : at + width])
            calls.append((placed.function, replace(placed.call, arguments=own_names)))
            at += width
        states = learn(engine, f"({rows.select(columns)})", calls)
        learnt |= {placed.start: state for placed, state in zip(of_rows, states, strict=True)}
    return substitute(text, [(placed, learnt[placed.start]) for placed, _ in found], training=True)


def _learns_first(cursor: Cursor) -> bool:
    name = cursor.word(2)
    return name in LEARNT_FIRST and (name not in MACROS_TOO or _behind(cursor).word() == "OVER")


def _behind(call: Cursor) -> Cursor:
    """What follows ML . name (…)."""
    after = Cursor(call.sql, call.tokens)
    after.index = call.index + 3
    after.span()
    return after


def _read(engine: Engine, cursor: Cursor) -> tuple[Placed, _Rows]:
    name = cursor.word(2)
    text = rows_of(name, cursor.sql, cursor.tokens, _behind(cursor).index, _as_written)
    rows = _Rows(_ctes(cursor.sql, cursor.tokens), text)

    def describe(expressions: list[str]) -> list[Any]:
        try:
            return list(engine.con.sql(f"{rows.select(expressions)} limit 0").types)
        except duckdb.Error as error:
            raise InputError(
                f"ML.{name}(…) OVER () learns before the query runs, and DuckDB refused "
                f"`{rows.select(expressions)}`: {error}"
            ) from error

    return Reader("query", FUNCTIONS, (), describe).call(cursor), rows


def _as_written(sql: str, tokens: list[Any]) -> str:
    return sql[tokens[0].start : tokens[-1].end + 1]


def _ctes(sql: str, tokens: list[Any]) -> str:
    """The WITH clause that a query begins with."""
    cursor, depth = Cursor(sql, tokens), 0
    if cursor.word() != "WITH":
        return ""
    for at, token in enumerate(tokens):
        cursor.index = at
        depth += (token.token_type in OPENING) - (token.token_type in OPENING.values())
        if depth == 0 and cursor.word() in ("SELECT", "FROM"):
            return sql[: token.start]
    return ""

"""ML.SPLINE(x) OVER () in a query of a session: learnt from the rows of its FROM … WHERE first.

Most functions with OVER () are macros that hold a window (sql/dialect/preprocessing.py). Those here
learn in several scans, or cross-fit, which no window can; a plain shell has them in TRANSFORM only.
The query is run with what they learnt as constants in it. Functions of a row that have forms which
no macro has are written out too.
"""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any

import duckdb

from mlpond.engine import Engine
from mlpond.errors import InputError, StatementError
from mlpond.models.preprocessing import FUNCTIONS, Learnt, learn
from mlpond.models.preprocessing.cross_fitting import columns_beside
from mlpond.models.preprocessing.function import CATEGORY
from mlpond.models.preprocessing.reading import Describe, Placed, Reader, substitute
from mlpond.models.source import each_row
from mlpond.sql import catalog
from mlpond.sql.dialect.preprocessing import (
    LEARNT_FIRST,
    MACROS_TOO,
    OF_A_SERIES,
    OF_SESSIONS,
    RATHER_LEARNT_FIRST,
    WRITTEN_OUT,
    rewrite_preprocessing,
    rows_of,
)
from mlpond.sql.dialect.tokens import OPENING, Cursor, tokenize
from mlpond.sql.templates.lambdas import PREFIX
from mlpond.sql.templates.quoting import identifier

# What gives other rows from run to run.
_UNSETTLED = re.compile(r"\b(sample|tablesample|random|uuid|gen_random_uuid|nextval)\b", re.I)
# What gives its rows in another order from run to run.
_UNORDERED = re.compile(
    r"(?<!is )(?<!not )\b(distinct|group\s+by|pivot|random|(union|intersect|except)"
    r"(?!\s+all|\s*\())\b",
    re.I,
)
_WAITED_FOR = LEARNT_FIRST | RATHER_LEARNT_FIRST | OF_A_SERIES


@dataclass(frozen=True)
class _Rows:
    """The rows of a query: WITH clauses of it and of those around it, and FROM … WHERE …."""

    ctes: tuple[str, ...]
    text: str

    def select(self, columns: list[str], tail: str = "") -> str:
        query = f"select {', '.join(columns)} {self.text}{tail}"
        for clause in reversed(self.ctes):  # one inside the other: names may come again
            query = f"{clause} from ({query})"
        return query


def learn_in_query(engine: Engine, text: str, *, waits: bool = True) -> str:
    """Write a query with what its functions learn from its rows in their places.

    Args:
        engine: Runs queries of the rows.
        text: The query.
        waits: Whether a call waits for those that make its rows, in a subquery or CTE.

    Raises:
        StatementError: a call is not of the form that its function has.
        InputError: the rows cannot be read before the query runs, or do not suit.
    """
    cursor, found = Cursor(text, tokenize(text)), list[tuple[Placed, _Rows | None]]()
    is_waiting = False
    while not cursor.done:
        name = cursor.word(2) if cursor.word() == "ML" and cursor.word(1) == "." else ""
        read: tuple[Placed, _Rows | None] | None = None
        rows = _rows_if_any(cursor) if name in OF_SESSIONS else None
        if waits and name in _WAITED_FOR and rows and _waited_for(rows.select(["1"])):
            is_waiting = True
        elif name in LEARNT_FIRST and _learns_first(cursor):
            read = _read(engine, cursor, rows)
        elif name in RATHER_LEARNT_FIRST:
            read = _read_if_settled(engine, cursor, rows)
        elif name in WRITTEN_OUT:
            read = _read_of_row(engine, cursor, rows)
        if read is None:
            cursor.index += 1
        else:
            found.append(read)
    learnt = {placed.start: Learnt() for placed, rows in found if rows is None}
    for rows in dict.fromkeys(rows for _, rows in found if rows is not None):
        of_rows = [placed for placed, own in found if own == rows]
        arguments = [sql for placed in of_rows for sql in placed.call.arguments]
        names = [f"{PREFIX}{i}" for i in range(len(arguments))]
        columns = [f"{sql} as {name}" for sql, name in zip(arguments, names, strict=True)]
        calls, at = [], 0
        for placed in of_rows:
            width = len(placed.call.arguments)
            own_names = tuple(names[at : at + width])
            calls.append((placed.function, replace(placed.call, arguments=own_names, parts=())))
            at += width
        columns += dict.fromkeys(name for placed in of_rows for name in placed.call.columns)
        states = learn(engine, f"({rows.select(columns)})", calls)
        for placed, state in zip(of_rows, states, strict=True):
            if "row_number" in (state.text("fold") or "") and _UNORDERED.search(rows.select([])):
                raise placed.call.refuse(
                    "the rows come in another order each time, and no column tells them apart, so "
                    "that their folds are not known; add a key, or make a table of them first."
                )
        learnt |= {placed.start: state for placed, state in zip(of_rows, states, strict=True)}
    calls_learnt = [(placed, learnt[placed.start]) for placed, _ in found]
    written = substitute(cursor.sql, calls_learnt, training=True)
    if not is_waiting:
        return written
    # there are fewer at each turn, or it ends
    return learn_in_query(engine, written, waits=_waited_for(written) < _waited_for(text))


def _waited_for(text: str) -> int:
    """Count the calls, with OVER behind them, that are written out before the query runs."""
    cursor, found = Cursor(text, tokenize(text)), 0
    for at in range(len(cursor.tokens)):
        cursor.index = at
        if (cursor.word(), cursor.word(1)) == ("ML", ".") and cursor.word(2) in _WAITED_FOR:
            found += _behind(cursor).word() == "OVER"
    return found


def _learns_first(cursor: Cursor) -> bool:
    return cursor.word(2) not in MACROS_TOO or _behind(cursor).word() == "OVER"


def _behind(call: Cursor) -> Cursor:
    """What follows ML . name (…)."""
    after = Cursor(call.sql, call.tokens)
    after.index = call.index + 3
    after.span()
    return after


def _read(engine: Engine, cursor: Cursor, found: _Rows | None) -> tuple[Placed, _Rows]:
    name, rows = cursor.word(2), found or _rows(cursor)  # which says why there are none

    def describe(expressions: list[str]) -> list[Any]:
        try:
            # an aggregate, learnt from the rows, would be that of all of them
            engine.con.sql(rows.select(["1"], each_row(expressions)))
            return list(engine.con.sql(rows.select(expressions, " limit 0")).types)
        except duckdb.Error as error:
            what = f"DuckDB refused `{rows.select(expressions)}`: {error}"
            if "cannot contain aggregates" in str(error):
                what = "an aggregate is not known then; aggregate in a subquery behind FROM."
            if "Values were not provided for" in str(error):
                what = "values of $1 or ? are not known then; make a table of the rows first."
            raise InputError(
                f"ML.{name}(…) OVER () learns before the query runs, and {what}"
            ) from error

    placed = Reader("query", FUNCTIONS, (), describe).call(cursor)
    if placed.function.training_sql is None:
        return placed, rows
    others = columns_beside(_columns(engine, rows), placed.call.arguments[1])
    return replace(placed, call=replace(placed.call, columns=others)), rows


def _columns(engine: Engine, rows: _Rows) -> tuple[str, ...]:
    """The columns of the rows that tell a row's fold, quoted: they are the same when read again.

    A sum of a subquery's need not be, in its last digit; a name that comes twice is not one.
    """
    relation = engine.con.sql(rows.select(["*"], " limit 0"))
    lower = [name.lower() for name in relation.columns]
    return tuple(
        identifier(name)
        for name, kind in zip(relation.columns, relation.types, strict=True)
        if lower.count(name.lower()) == 1
        and CATEGORY.accepts(kind)
        and kind.id not in ("float", "double")
    )


def _read_if_settled(
    engine: Engine, cursor: Cursor, rows: _Rows | None
) -> tuple[Placed, _Rows] | None:
    """Read a window to learn it first, or put the macro in its place and give None.

    The macro is for a view, which should follow its rows, and for rows that differ from run to run
    or cannot be read by themselves.
    """
    start, after = cursor.index, _behind(cursor)
    end = after.index
    if not after.accept("OVER", "(", ")"):
        return None
    words = {token.text.upper() for token in cursor.tokens[:6]}
    is_view = "CREATE" in words and words & {"VIEW", "MACRO"}
    if not is_view and not _UNSETTLED.search(cursor.sql):
        try:
            return _read(engine, cursor, rows)
        except InputError:
            cursor.index = start
    macro = rewrite_preprocessing(cursor.sql, cursor.tokens, start, end, _as_written, learns=False)
    assert macro is not None
    position, stop = cursor.tokens[start].start, cursor.tokens[macro[1] - 1].end + 1
    cursor.sql = cursor.sql[:position] + macro[0] + cursor.sql[stop:]
    cursor.tokens = tokenize(cursor.sql)
    return None


def _read_of_row(engine: Engine, cursor: Cursor, rows: _Rows | None) -> tuple[Placed, None] | None:
    """Read a function of a row in a form of TRANSFORM; None if it is left to the macro."""
    start, name, types = cursor.index, cursor.word(2), _types(engine, rows)
    try:
        return Reader("query", FUNCTIONS, (), types).call(cursor), None
    except (StatementError, duckdb.Error) as error:
        if FUNCTIONS[name].over == "series":  # no macro stands in for it
            if isinstance(error, duckdb.Error):
                raise InputError(f"query: ML.{name}: {error}") from error
            raise
        cursor.index = start + 3
        _, stop = cursor.span()
        cursor.index = start
        if isinstance(error, StatementError):
            try:
                types([cursor.sql[cursor.tokens[start].start : stop + 1]])
            except duckdb.Error:
                raise error from None  # neither form is right
        return None


def _types(engine: Engine, found: _Rows | None) -> Describe:
    """Tells the types of expressions over the rows of a query, or over none."""
    rows = found or _Rows((), "")
    return lambda expressions: list(engine.con.sql(rows.select(expressions, " limit 0")).types)


def explain_call(engine: Engine, text: str) -> None:
    """Say what a function does not take, if that is why DuckDB could not bind a query.

    Raises:
        InputError: an argument has a type that its function does not take.
        StatementError: a function with OVER () is not known, or does not take a setting.
    """
    if engine.in_transaction():  # the error has ended it
        return
    cursor = Cursor(text, tokenize(text))
    for at in range(len(cursor.tokens)):
        cursor.index = at
        if (cursor.word(), cursor.word(1), cursor.word(3)) != ("ML", ".", "("):
            continue
        after = _behind(cursor)
        call = after.tokens[at : after.index]
        # with := it is the macro, which takes what the function of a clause does not
        is_clause = after.accept("OVER", "(", ")") and all(token.text != ":=" for token in call)
        if cursor.word(2) in FUNCTIONS or (is_clause and cursor.word(2) not in _of_library()):
            with suppress(duckdb.Error):
                types = _types(engine, _rows_if_any(cursor))
                try:
                    Reader("query", FUNCTIONS, (), types).call(cursor)
                except StatementError:
                    if is_clause:
                        raise


def _of_library() -> set[str]:
    return {entry.name.upper() for entry in catalog()}


def _rows_if_any(cursor: Cursor) -> _Rows | None:
    try:
        return _rows(cursor)
    except StatementError:
        return None


def _rows(cursor: Cursor) -> _Rows:
    text = rows_of(cursor.word(2), cursor.sql, cursor.tokens, cursor.index, _as_written)
    return _Rows(_ctes(cursor.sql, cursor.tokens, cursor.index), text)


def _as_written(sql: str, tokens: list[Any]) -> str:
    return sql[tokens[0].start : tokens[-1].end + 1]


def _ctes(sql: str, tokens: list[Any], index: int) -> tuple[str, ...]:
    """WITH clauses of the CTEs that the query at tokens[index] can name, the outermost first."""
    cursor, visible = Cursor(sql, tokens), [_Ctes()]
    for at, token in enumerate(tokens[:index]):
        cursor.index = at
        own = visible[-1]
        if token.token_type in OPENING:
            visible.append(_Ctes())
        elif token.token_type in OPENING.values() and len(visible) > 1:
            visible.pop()
            own = visible[-1]
            # another closing bracket is that of its columns, or of its key
            if own.start is not None and cursor.word(1) not in ("AS", "USING"):
                own.found.append(cursor.sql[own.start : token.end + 1])
                own.start = tokens[at + 2].start if cursor.word(1) == "," else None
        elif _begins_ctes(cursor):
            own.is_recursive = cursor.word(1) == "RECURSIVE"
            own.start = tokens[at + 1 + own.is_recursive].start
    return tuple(
        f"with {'recursive ' if own.is_recursive else ''}{', '.join(own.found)}"
        for own in visible
        if own.found
    )


@dataclass
class _Ctes:
    """The CTEs in one pair of brackets: those that are complete, and where another one begins."""

    found: list[str] = field(default_factory=list)
    start: int | None = None
    is_recursive: bool = False


def _begins_ctes(cursor: Cursor) -> bool:
    """Tell WITH a AS ( from WITH TIME ZONE and WITH ORDINALITY AS t(."""
    if cursor.word() != "WITH":
        return False
    after = Cursor(cursor.sql, cursor.tokens)
    after.index = cursor.index + 2 + (cursor.word(1) == "RECURSIVE")
    while after.word() == "(" or after.accept("USING", "KEY"):
        after.span()
    after.accept("AS")
    return after.word() in ("(", "MATERIALIZED", "NOT")

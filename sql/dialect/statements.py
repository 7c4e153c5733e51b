"""Reading statements: model statements become objects, everything else passes through.

Grammar: BigQuery ML's CREATE MODEL, ALTER MODEL, DROP MODEL, EXPORT MODEL, and in any other
statement the calls ``ML.<FUNCTION>(MODEL name, {TABLE t | (query)} [, STRUCT(…)])``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from mlpond.errors import StatementError
from mlpond.sql.dialect.calls import rewrite_calls
from mlpond.sql.dialect.tokens import Cursor, tokenize
from mlpond.sql.dialect.values import read_options
from mlpond.sql.script import statements


@dataclass(frozen=True)
class Plain:
    """A statement for DuckDB; only ML calls in it have been rewritten."""

    text: str


@dataclass(frozen=True)
class CreateModel:
    """CREATE [OR REPLACE] MODEL [IF NOT EXISTS] name [TRANSFORM (…)] [OPTIONS (…)] [AS query]."""

    name: str
    or_replace: bool = False
    if_not_exists: bool = False
    transform: str | None = None
    options: dict[str, Any] = field(default_factory=dict)
    query: str | None = None
    text: str = ""


@dataclass(frozen=True)
class AlterModel:
    """ALTER MODEL [IF EXISTS] name SET OPTIONS (…)."""

    name: str
    if_exists: bool
    options: dict[str, Any]


@dataclass(frozen=True)
class DropModel:
    """DROP MODEL [IF EXISTS] name."""

    name: str
    if_exists: bool


@dataclass(frozen=True)
class ExportModel:
    """EXPORT MODEL name OPTIONS (URI = '…')."""

    name: str
    options: dict[str, Any]


Statement = Plain | CreateModel | AlterModel | DropModel | ExportModel

_HINT = re.compile(r"\bmodel\b|\bml\s*\.", re.IGNORECASE)


def mentions_models(sql: str) -> bool:
    """Tell cheaply whether a text may hold a model statement or an ML call."""
    return _HINT.search(sql) is not None


def read_statements(sql: str) -> list[Statement]:
    """Cut a text into statements and read the model statements among them.

    A line in a message is counted from the beginning of its statement.

    Raises:
        StatementError: a model statement does not follow the grammar.
    """
    return [_read(text) for text in statements(sql)]


def _read(sql: str) -> Statement:
    if not mentions_models(sql):
        return Plain(sql)
    tokens = tokenize(sql)
    cursor = Cursor(sql, tokens)
    text = cursor.text()
    if cursor.word() == "CREATE" and (
        cursor.word(1) == "MODEL"
        or (cursor.word(1), cursor.word(2), cursor.word(3)) == ("OR", "REPLACE", "MODEL")
    ):
        return _create(cursor, text)
    if cursor.accept("DROP", "MODEL"):
        return _drop(cursor)
    if cursor.accept("ALTER", "MODEL"):
        return _alter(cursor)
    if cursor.accept("EXPORT", "MODEL"):
        return _export(cursor)
    return Plain(rewrite_calls(sql, tokens))


def _create(cursor: Cursor, text: str) -> CreateModel:
    cursor.expect("CREATE")
    or_replace = cursor.accept("OR", "REPLACE")
    cursor.expect("MODEL")
    if_not_exists = cursor.accept("IF", "NOT", "EXISTS")
    if or_replace and if_not_exists:
        raise StatementError(
            "CREATE MODEL: OR REPLACE and IF NOT EXISTS exclude each other; keep one of them."
        )
    name = _new_name(cursor)
    transform = None
    if cursor.accept("TRANSFORM"):
        start, stop = cursor.span()
        transform = cursor.sql[start:stop].strip()
    for clause in ("INPUT", "OUTPUT", "REMOTE"):
        if cursor.word() == clause:
            cursor.fail(
                f"the clause {clause} belongs to imported and remote models, "
                "which mlpond does not have; leave it out"
            )
    options = read_options(cursor) if cursor.accept("OPTIONS") else {}
    query = None
    if cursor.accept("AS"):
        query = cursor.text()
        if not query:
            cursor.fail("expected a query after AS")
        query = rewrite_calls(cursor.sql, cursor.tokens[cursor.index :])
        cursor.index = len(cursor.tokens)
    if not cursor.done:
        cursor.fail("expected TRANSFORM, OPTIONS or AS, in this order")
    return CreateModel(name, or_replace, if_not_exists, transform, options, query, text)


def _new_name(cursor: Cursor) -> str:
    name = cursor.name("the name of the model")
    if "@" in name:
        raise StatementError(
            f"CREATE MODEL: the name {name!r} holds @, which parts a name from its version; "
            "versions are numbered by CREATE OR REPLACE MODEL."
        )
    if len(name) > 1024:
        raise StatementError(
            f"CREATE MODEL: the name has {len(name)} characters; at most 1024 are accepted."
        )
    return name


def _drop(cursor: Cursor) -> DropModel:
    if_exists = cursor.accept("IF", "EXISTS")
    name = cursor.name("the name of the model")
    _end(cursor)
    return DropModel(name, if_exists)


def _alter(cursor: Cursor) -> AlterModel:
    if_exists = cursor.accept("IF", "EXISTS")
    name = cursor.name("the name of the model")
    cursor.expect("SET", "OPTIONS")
    options = read_options(cursor)
    _end(cursor)
    return AlterModel(name, if_exists, options)


def _export(cursor: Cursor) -> ExportModel:
    name = cursor.name("the name of the model")
    cursor.expect("OPTIONS")
    options = read_options(cursor)
    _end(cursor)
    return ExportModel(name, options)


def _end(cursor: Cursor) -> None:
    if not cursor.done:
        cursor.fail("expected the end of the statement")

"""The training query as a relation that can be scanned several times."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from mlpond.engine import Engine
from mlpond.errors import InputError
from mlpond.sql.templates.quoting import identifier
from mlpond.sql.templates.renderer import unknown


@dataclass(frozen=True)
class Source:
    """A relation that can stand behind FROM, and its columns with their DuckDB types."""

    relation: str
    columns: list[tuple[str, Any]]

    def column(self, who: str, name: str) -> str:
        """Return a column's name as the query spells it.

        Raises:
            InputError: the query has no such column.
        """
        for found, _ in self.columns:
            if found.lower() == name.lower():
                return found
        raise InputError(unknown(who, name, [found for found, _ in self.columns]))

    def type_of(self, name: str) -> Any:
        """Return the type of a column."""
        return dict(self.columns)[name]


def columns_of(engine: Engine, query: str) -> list[tuple[str, Any]]:
    """Return the columns of a query without running it."""
    relation = engine.con.sql(f"select * from ({query}) limit 0")
    return list(zip(relation.columns, relation.types, strict=True))


@contextmanager
def open_source(engine: Engine, query: str, columns: list[tuple[str, Any]]) -> Iterator[Source]:
    """Give a relation for the query: the query itself, or a temporary table of its rows.

    Training scans several times. A query that only reads and projects one table is cheap to run
    again and gives the same rows; anything else is run once.
    """
    if _is_scan(engine, query):
        yield Source(f"({query})", columns)
        return
    name = f"temp.{identifier(f'mlpond_training_{uuid.uuid4().hex}')}"
    engine.execute(f"create temp table {name.removeprefix('temp.')} as {query}")
    try:
        yield Source(name, columns)
    finally:
        engine.drop_quietly(name)


def _is_scan(engine: Engine, query: str) -> bool:
    try:
        tree = sqlglot.parse_one(query, dialect="duckdb")
    except SqlglotError:
        return False
    if not isinstance(tree, exp.Select):
        return False
    if any(
        value for name, value in tree.args.items() if name not in ("expressions", "from_", "where")
    ):
        return False
    if tree.find(
        exp.Subquery, exp.Window, exp.AggFunc, exp.Rand, exp.Uuid, exp.Anonymous, exp.Join
    ):
        return False
    tables = list(tree.find_all(exp.Table))
    if len(tables) != 1 or not isinstance(tables[0].this, exp.Identifier):
        return False
    return bool(
        engine.value("select count(*) from duckdb_tables() where table_name = ?", [tables[0].name])
    )

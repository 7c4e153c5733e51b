"""The training query as a relation that can be scanned several times."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import duckdb
import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from mlpond.engine import Engine
from mlpond.errors import InputError
from mlpond.sql.templates.quoting import identifier
from mlpond.sql.templates.renderer import unknown

WINDOWS = 8  # stretches of rows that a sample is taken from; each costs a row group


@dataclass(frozen=True)
class Windows:
    """A few stretches of a stored table: a sample that is read without reading the rest."""

    scan: exp.Select
    rows: int  # of the table

    def sample(self, share: float) -> str:
        """Write the relation of about a share of the rows, evenly spread, always the same."""
        step = max(self.rows // WINDOWS, 1)
        size = max(int(share * step), 1)
        ranges = " or ".join(
            f"rowid between {start} and {start + size - 1}" for start in range(0, self.rows, step)
        )
        return f"({self.scan.copy().where(f'({ranges})', dialect='duckdb').sql('duckdb')})"


@dataclass(frozen=True)
class Source:
    """A relation that can stand behind FROM, and its columns with their DuckDB types."""

    relation: str
    columns: list[tuple[str, Any]]
    windows: Windows | None = None

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


def each_row(expressions: list[str]) -> str:
    """Write what to put behind the rows of a query that binds if all is computed of a row alone."""
    # GROUP BY takes neither aggregates nor windows; a number in it would be the place of a column
    fields = ", ".join(f"'_{i}': {sql}" for i, sql in enumerate(expressions))
    return f" group by {{{fields}}} limit 0"


def types_of(engine: Engine, who: str, expressions: list[str], query: str) -> list[Any]:
    """Return the types of expressions over the columns of a query, without running it.

    Raises:
        InputError: DuckDB refuses one of them.
    """
    try:
        engine.con.sql(f"select 1 from ({query}){each_row(expressions)}")
        return list(engine.con.sql(f"select {', '.join(expressions)} from ({query}) limit 0").types)
    except duckdb.Error as error:
        raise InputError(f"{who}: TRANSFORM: DuckDB refused {expressions[0]}: {error}") from error


@contextmanager
def open_source(engine: Engine, query: str, columns: list[tuple[str, Any]]) -> Iterator[Source]:
    """Give a relation for the query: the query itself, or a temporary table of its rows.

    Training scans several times. A query that only reads and projects one table is cheap to run
    again and gives the same rows; anything else is run once.
    """
    scan = _read_scan(engine, query)
    if scan is not None:
        yield Source(f"({query})", columns, scan)
        return
    name = f"mlpond_training_{uuid.uuid4().hex}"
    relation = f"temp.{identifier(name)}"
    engine.execute(f"create temp table {identifier(name)} as {query}")
    try:
        rows = engine.value(f"select count(*) from {relation}")
        tree = sqlglot.parse_one(f"select * from {relation}", dialect="duckdb")
        assert isinstance(tree, exp.Select)
        yield Source(relation, columns, Windows(tree, rows))
    finally:
        engine.drop_quietly(relation)


def _read_scan(engine: Engine, query: str) -> Windows | None:
    """Read a query that only filters and projects one stored table; None if it is more."""
    try:
        tree = sqlglot.parse_one(query, dialect="duckdb")
    except SqlglotError:
        return None
    if not isinstance(tree, exp.Select):
        return None
    if any(
        value for name, value in tree.args.items() if name not in ("expressions", "from_", "where")
    ):
        return None
    if tree.find(
        exp.Subquery, exp.Window, exp.AggFunc, exp.Rand, exp.Uuid, exp.Anonymous, exp.Join
    ):
        return None
    tables = list(tree.find_all(exp.Table))
    if len(tables) != 1 or not isinstance(tables[0].this, exp.Identifier):
        return None
    table = tables[0].sql("duckdb")
    stored = engine.value(
        "select count(*) from duckdb_tables() where table_name = ?", [tables[0].name]
    )
    if stored != 1 or tree.find(exp.CTE):
        return None
    return Windows(tree, engine.value(f"select count(*) from {table}"))

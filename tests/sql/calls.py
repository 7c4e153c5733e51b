"""Calls of table macros in tests: options as SQL, answers as dicts."""

from __future__ import annotations

from typing import Any

import duckdb


def options(given: dict[str, Any]) -> str:
    """Named arguments that end a call: ``, name := value`` for each."""
    return "".join(f", {name} := {'null' if v is None else repr(v)}" for name, v in given.items())


def dicts(found: duckdb.DuckDBPyConnection) -> list[dict[str, Any]]:
    """The rows of an executed query, each by the names of its columns."""
    names = [column[0] for column in found.description]
    return [dict(zip(names, row, strict=True)) for row in found.fetchall()]


def load(
    con: duckdb.DuckDBPyConnection, table: str, columns: str, rows: list[tuple[Any, ...]]
) -> None:
    """Make a table anew, of these rows."""
    con.execute(f"create or replace table {table} ({columns})")
    if rows:
        marks = ", ".join("?" * len(rows[0]))
        con.executemany(f"insert into {table} values ({marks})", rows)

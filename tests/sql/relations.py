"""Small tables for tests: written once, for every one that holds SQL against plain Python."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import duckdb
import pytest


def load(
    con: duckdb.DuckDBPyConnection, name: str, columns: str, rows: Iterable[Sequence[Any]]
) -> None:
    """Make a table anew with these rows; ``columns`` as in CREATE TABLE."""
    con.execute(f"create or replace table {name} ({columns})").fetchall()
    listed = [list(row) for row in rows]
    if listed:
        marks = ", ".join("?" for _ in listed[0])
        con.execute(
            f"insert into {name} values " + ", ".join([f"({marks})"] * len(listed)),
            [value for row in listed for value in row],
        ).fetchall()


def rows(con: duckdb.DuckDBPyConnection, query: str) -> list[tuple[Any, ...]]:
    """Run a query and fetch its rows."""
    return con.execute(query).fetchall()


def records(con: duckdb.DuckDBPyConnection, query: str) -> list[dict[str, Any]]:
    """Run a query and fetch its rows by name."""
    found = con.execute(query)
    names = [column[0] for column in found.description]
    return [dict(zip(names, row, strict=True)) for row in found.fetchall()]


def near(values: Iterable[Any]) -> list[Any]:
    """What is equal to these values up to a few roundings of numbers of size 1; NULL to NULL."""
    return [v if v is None else pytest.approx(v, rel=1e-12, abs=1e-12) for v in values]

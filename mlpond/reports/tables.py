"""The first rows of a relation as text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from mlpond.errors import InputError
from mlpond.reports import words
from mlpond.reports.content import Heading, TableView
from mlpond.sql.templates.quoting import identifier
from mlpond.sql.templates.renderer import unknown
from mlpond.type_names import is_number

if TYPE_CHECKING:
    import duckdb

COLUMNS = 14
"""Columns shown of a table whose section does not name any."""
WIDE = 6
"""A single row of more columns is shown column under column."""


def view(
    con: duckdb.DuckDBPyConnection,
    sql: str,
    name: str,
    *,
    rows: int,
    columns: Sequence[str] = (),
    units: Mapping[str, str],
    command: str,
) -> TableView:
    """Read the first rows of a query.

    Args:
        con: The connection.
        sql: The query.
        name: What it is called.
        rows: Rows at most.
        columns: Columns, in this order; without them the first ones.
        units: Units of columns whose name does not tell.
        command: What prints all of it in a terminal.

    Raises:
        InputError: a column is not there.
    """
    described = con.execute(f"describe select * from ({sql})").fetchall()
    types = {row[0]: row[1] for row in described}
    by_fold = {column.casefold(): column for column in types}
    for column in columns:
        if column.casefold() not in by_fold:
            raise InputError(unknown(f"report: column of {name}", column, list(types)))
    shown = [by_fold[column.casefold()] for column in columns] or list(types)[:COLUMNS]
    listed = ", ".join(_readable(column, types[column]) for column in shown)
    found = con.execute(f"select {listed} from ({sql}) limit {rows}").fetchall()
    total = len(found)
    if total == rows:
        total = con.execute(f"select count(*) from ({sql})").fetchall()[0][0]
    headings = tuple(_heading(column, types[column], units) for column in shown)
    if total == 1 and len(types) > WIDE and not columns:
        return _upright(con, sql, name, types, units)
    is_whole = total <= len(found) and (bool(columns) or len(shown) == len(types))
    return TableView(
        name=name,
        headings=headings,
        rows=tuple(tuple(map(words.show, row)) for row in found),
        note=_note(len(found), total, len(shown), len(types), bool(columns)),
        command="" if is_whole else command,
    )


def _upright(
    con: duckdb.DuckDBPyConnection,
    sql: str,
    name: str,
    types: Mapping[str, str],
    units: Mapping[str, str],
) -> TableView:
    """One row, a column a line."""
    listed = ", ".join(_readable(column, type_) for column, type_ in types.items())
    row = con.execute(f"select {listed} from ({sql})").fetchall()[0]
    headings = [_heading(column, type_, units) for column, type_ in types.items()]
    lines = [
        (head.name, words.show(value), head.unit) for head, value in zip(headings, row, strict=True)
    ]
    has_units = any(unit for _, _, unit in lines)
    head = [Heading("column", "", "", False), Heading("value", "", "", True)]
    head += [Heading("unit", "", "", False)] if has_units else []
    kept = tuple(line if has_units else line[:2] for line in lines)
    return TableView(name, tuple(head), kept, "1 row, column under column", "")


def _readable(column: str, type_: str) -> str:
    """A moment with a time zone needs pytz to become Python's; as text it needs nothing."""
    return f"{identifier(column)}::varchar" if "WITH TIME ZONE" in type_ else identifier(column)


def written(name: str, head: Sequence[str], rows: Sequence[Sequence[object]]) -> TableView:
    """A table of values that are at hand."""
    headings = tuple(Heading(column, "", "", False) for column in head)
    return TableView(name, headings, tuple(tuple(map(words.show, row)) for row in rows), "", "")


def _heading(column: str, type_: str, units: Mapping[str, str]) -> Heading:
    numeric = is_number(type_)
    unit = units.get(column, words.unit(column) if numeric else "")
    short = type_.split("(")[0].lower() if len(type_) > 24 else type_.lower()
    return Heading(column, short, unit, numeric)


def _note(shown: int, total: int, n_shown: int, n_columns: int, chosen: bool) -> str:
    rows = words.count(total, "row") if shown >= total else f"{shown:,} of {total:,} rows"
    if n_shown < n_columns:
        return f"{rows}, {n_shown} of {words.count(n_columns, 'column')}"
    return rows

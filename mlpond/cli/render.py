"""Rows as a box with names and types, in the manner of DuckDB's own shell.

A result is computed once and kept by DuckDB; only the rows that are shown are turned into text,
by DuckDB, so that every type looks as it does in SQL.
"""

from __future__ import annotations

import re
import shutil
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich import box
from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text

from mlpond.type_names import is_number

if TYPE_CHECKING:
    import duckdb

ROWS = 40
"""Rows shown of a longer result: the first half and the last half of them."""
WIDTH_OF_A_FILE = 100
"""Columns of text when the output is no terminal and COLUMNS is not set."""
NARROWEST = 10
"""A column is cut to this width at most before whole columns are left out."""
SHOWN = "mlpond_shown"  # the name under which a relation's own query sees it

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")

Row = tuple[str | None, ...]


@dataclass(frozen=True)
class Page:
    """What is shown of a result."""

    columns: tuple[str, ...]
    types: tuple[str, ...]
    rows: tuple[Row, ...]
    total: int
    """Rows of the whole result; more than ``rows`` holds when the middle is left out."""


def page(relation: duckdb.DuckDBPyRelation, rows: int = ROWS) -> Page:
    """Compute the result once and keep its first and last rows as text."""
    half = rows // 2
    kept = requery(
        relation,
        f"""
        with result as materialized (from {SHOWN}), total as (select count(*) as n from result)
        (select (select n from total), columns(result.*)::varchar from result limit {half})
        union all
        (
            select (select n from total), columns(result.*)::varchar from result
            limit {rows - half} offset (select greatest({half}, n - {rows - half}) from total)
        )
        """,
    ).fetchall()
    return Page(
        columns=tuple(relation.columns),
        types=tuple(str(type_) for type_ in relation.types),
        rows=tuple(tuple(row[1:]) for row in kept),
        total=kept[0][0] if kept else 0,
    )


def requery(relation: duckdb.DuckDBPyRelation, query: str) -> duckdb.DuckDBPyRelation:
    """Query a relation, which the query calls ``mlpond_shown``."""
    result = relation.query(SHOWN, query)
    if result is None:
        raise TypeError(f"requery: a query that returns rows is needed, not {query!r}.")
    return result


def console(stderr: bool = False) -> Console:
    """A console on today's stdout or stderr that leaves numbers and names uncoloured."""
    stream = sys.stderr if stderr else sys.stdout
    return Console(file=stream, highlight=False, emoji=False, markup=False, width=width(stderr))


def width(stderr: bool = False) -> int:
    """Columns of text that fit."""
    is_terminal = (sys.stderr if stderr else sys.stdout).isatty()
    return shutil.get_terminal_size((80 if is_terminal else WIDTH_OF_A_FILE, 24)).columns


def show(result: Page, to: Console) -> None:
    """Print a result; one row that does not fit the width is printed column under column."""
    if result.columns == ("explain_key", "explain_value"):
        for row in result.rows:
            to.print(Text(row[1] or ""), soft_wrap=True)
    elif len(result.rows) == 1 and _total(_natural(result)) > to.width:
        for line in lines(result.columns, result.rows[0]):
            to.print(Text(line), soft_wrap=True)
    else:
        shown, widths = _fit(_natural(result), to.width)
        to.print(_box(result, shown, widths), soft_wrap=True)
        if note := _footer(result, len(shown) - 1 if None in shown else len(shown)):
            to.print(Text(note, style="dim"))


def lines(columns: Sequence[str], row: Row) -> list[str]:
    """One row, a column a line, as in DuckDB's line mode."""
    margin = max((cell_len(column) for column in columns), default=0)
    return [
        f"{' ' * (margin - cell_len(column))}{column} = {'NULL' if value is None else value}"
        for column, value in zip(columns, row, strict=True)
    ]


def _footer(result: Page, columns: int) -> str:
    """How much there is, where the box does not show it at a glance."""
    notes = []
    if result.total > len(result.rows):
        notes.append(f"{result.total:,} rows ({len(result.rows)} shown)")
    elif result.total == 0 or result.total > 10:
        notes.append(f"{result.total} rows")
    if columns < len(result.columns):
        notes.append(f"{len(result.columns)} columns ({columns} shown)")
    return "  ".join(notes)


def _box(result: Page, shown: list[int | None], widths: list[int]) -> Table:
    drawn = Table(box=box.SQUARE, show_header=True, header_style="", pad_edge=True)
    for index, limit in zip(shown, widths, strict=True):
        numeric = index is not None and is_number(result.types[index])
        drawn.add_column(
            _header(result, index, limit),
            justify="right" if numeric else "left",
            width=limit,
            no_wrap=True,
        )
    gap = result.total - len(result.rows)
    for number, row in enumerate(result.rows):
        if gap and number == len(result.rows) // 2:
            for _ in range(3):
                drawn.add_row(*(Text("·", style="dim", justify="center") for _ in shown))
        drawn.add_row(
            *(
                _cell(None if index is None else row[index], limit, elided=index is None)
                for index, limit in zip(shown, widths, strict=True)
            )
        )
    return drawn


def _header(result: Page, index: int | None, limit: int) -> Text:
    if index is None:
        return Text("…\n…", style="dim", justify="center")
    name, type_ = (
        _cut(_flat(result.columns[index]), limit),
        _cut(result.types[index].lower(), limit),
    )
    return Text.assemble((name, "bold"), "\n", (type_, "dim"), justify="center")


def _cell(value: str | None, limit: int, elided: bool) -> Text:
    if elided:
        return Text("…", style="dim")
    if value is None:
        return Text("NULL", style="dim")
    return Text(_cut(_flat(value), limit))


def _flat(text: str) -> str:
    """One line: control characters become escapes, so that data cannot steer the terminal."""
    return _CONTROL.sub(lambda match: match[0].encode("unicode_escape").decode(), text)


def _cut(text: str, limit: int) -> str:
    if cell_len(text) <= limit:
        return text
    kept = text[: limit - 1]
    while cell_len(kept) > limit - 1:
        kept = kept[:-1]
    return kept + "…"


def _natural(result: Page) -> list[int]:
    """The width that each column would like to have; a long type does not widen a column."""
    return [
        max(
            [cell_len(_flat(name)), min(len(type_), 20)]
            + [4 if row[i] is None else cell_len(_flat(row[i] or "")) for row in result.rows]
        )
        for i, (name, type_) in enumerate(zip(result.columns, result.types, strict=True))
    ]


def _total(widths: Sequence[int]) -> int:
    """The width of a box: each column has a space on both sides and a line before it."""
    return sum(widths) + 3 * len(widths) + 1


def _fit(natural: list[int], available: int) -> tuple[list[int | None], list[int]]:
    """Choose columns and their widths: first the wide ones shrink, then the middle goes.

    Returns the indices of the columns, None in place of those left out, and the widths.
    """
    for cap in range(max(natural, default=0), NARROWEST - 1, -1):
        widths = [min(width, cap) for width in natural]
        if _total(widths) <= available:
            return list(range(len(natural))), widths
    capped = [min(width, 20) for width in natural]
    left: list[int] = []
    right: list[int] = []
    room = available - _total([1])
    # From both ends to the middle, as long as there is room; one column is always shown.
    for turn in range(len(natural)):
        side, index = (left, turn // 2) if turn % 2 == 0 else (right, len(natural) - 1 - turn // 2)
        room -= capped[index] + 3
        if room < 0 and turn > 0:
            break
        side.append(index)
    right.reverse()
    if len(left) + len(right) == len(natural):
        return list(range(len(natural))), capped
    chosen: list[int | None] = [*left, None, *right]
    return chosen, [1 if index is None else capped[index] for index in chosen]

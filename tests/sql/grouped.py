"""What the tests of groups and counts share: tables from samples, and rows as dictionaries."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import duckdb
from hypothesis import strategies as st

FIELDS = (
    "statistic", "df", "p_value", "log10_p_value", "estimate", "standard_error", "ci_lower",
    "ci_upper", "effect_size", "n", "n_missing",
)  # fmt: skip


def ask(con: duckdb.DuckDBPyConnection, query: str) -> list[dict[str, Any]]:
    """The rows of a query."""
    cursor = con.execute(query)
    names = [column[0] for column in cursor.description]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def one(con: duckdb.DuckDBPyConnection, query: str) -> dict[str, Any]:
    """The only row of a query."""
    (row,) = ask(con, query)
    return row


def load(con: duckdb.DuckDBPyConnection, samples: Mapping[Any, Sequence[float | None]]) -> None:
    """Make the table samples(y, level)."""
    con.execute("create or replace table samples (y double, level varchar)")
    rows = [(y, level) for level, sample in samples.items() for y in sample]
    if rows:
        con.executemany("insert into samples values (?, ?)", rows)


def tabulate(con: duckdb.DuckDBPyConnection, table: Sequence[Sequence[float]]) -> None:
    """Make the table cells(a, b, n) of a contingency table; levels are numbers in order."""
    con.execute("create or replace table cells (a integer, b integer, n double)")
    con.executemany(
        "insert into cells values (?, ?, ?)",
        [(i, j, float(n)) for i, row in enumerate(table) for j, n in enumerate(row)],
    )


def of_kind(kind: str, value: Any = None) -> dict[str, Any]:
    """The fields of a test, all the same, with df or df_between and df_within."""
    names = [
        n
        for f in FIELDS
        for n in (("df_between", "df_within") if kind == "F" and f == "df" else (f,))
    ]
    return dict.fromkeys(names, value)


# Numbers with few digits, so that there are ties and yet no overflow.
values = st.integers(-9999, 9999).map(lambda v: v / 100)


def groups(least: int = 2, smallest: int = 2, largest: int = 30) -> st.SearchStrategy:
    """Two to six samples of different sizes."""
    return st.lists(
        st.lists(values, min_size=smallest, max_size=largest), min_size=least, max_size=6
    )


def named(samples: Sequence[Sequence[float]]) -> dict[str, Sequence[float]]:
    """Name samples in their order."""
    return {f"g{i}": sample for i, sample in enumerate(samples)}

"""Tables of groups for the tests of rank statistics, and results as dictionaries."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import duckdb
import numpy as np
from hypothesis import strategies as st

# few distinct values make ties; the second strategy has none
TIED = st.lists(st.integers(-4, 4).map(float), min_size=3, max_size=25)
DISTINCT = st.lists(
    st.floats(-100, 100, allow_subnormal=False), min_size=24, max_size=40, unique=True
)


def load(con: duckdb.DuckDBPyConnection, groups: Mapping[str, Sequence[float | None]]) -> None:
    """Make table t(g, y) of groups, its rows in no order of theirs."""
    rows = [(name, value) for name, values in groups.items() for value in values]
    con.execute("create or replace table t(g varchar, y double)")
    if rows:
        columns = {"g": [row[0] for row in rows], "y": [row[1] for row in rows]}
        con.execute(
            "insert into t select g, y from (select unnest($g) as g, unnest($y::double[]) as y) "
            "order by hash(coalesce(y, 0) * 31), g",
            columns,
        )


def columns(con: duckdb.DuckDBPyConnection, **values: Any) -> None:
    """Make table t of columns of equal length."""
    names = ", ".join(f"unnest(${name}::double[]) as {name}" for name in values)
    con.execute(
        f"create or replace table t as select {names}",
        {name: [None if v is None else float(v) for v in value] for name, value in values.items()},
    )


def record(con: duckdb.DuckDBPyConnection, query: str) -> dict[str, Any]:
    """The one row of a query."""
    found = con.execute(query)
    names = [column[0] for column in found.description]
    rows = found.fetchall()
    assert len(rows) == 1
    return dict(zip(names, rows[0], strict=True))


def records(con: duckdb.DuckDBPyConnection, query: str) -> list[dict[str, Any]]:
    """All rows of a query."""
    found = con.execute(query)
    names = [column[0] for column in found.description]
    return [dict(zip(names, row, strict=True)) for row in found.fetchall()]


def is_unknown(
    row: Mapping[str, Any],
    keep: Sequence[str] = ("n", "n_missing", "estimate", "effect_size", "df"),
) -> bool:
    """Whether a test has no result: no statistic, no p-value."""
    return all(value is None for name, value in row.items() if name not in keep)


def normal(seed: int, n: int, mean: float = 0.0) -> np.ndarray:
    """Draws for tests that need many rows."""
    return np.random.default_rng(seed).normal(mean, 1.0, n)

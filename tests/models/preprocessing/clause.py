"""What the tests of preprocessing functions share: a clause, fitted on one table and applied."""

from __future__ import annotations

from typing import Any

import pyarrow as pa

import mlpond
from mlpond.models.source import columns_of, types_of
from mlpond.models.transform import Transform, fit_transform, read_transform


def load(pond: mlpond.Session, name: str = "t", /, **columns: Any) -> None:
    """Make a table of columns, which keep the order of their rows."""
    pond.con.register("given_rows", pa.table(columns))
    pond.con.execute(f"create or replace table {name} as from given_rows").fetchall()


def fitted(pond: mlpond.Session, clause: str, source: str = "t") -> Transform:
    """Fit a clause on a table."""
    query = f"select * from {source}"
    columns = [name for name, _ in columns_of(pond.engine, query)]

    def describe(expressions: list[str]) -> list[Any]:
        return types_of(pond.engine, "test", expressions, query)

    return fit_transform(pond.engine, f"({query})", read_transform("m", clause, columns, describe))


def apply(
    pond: mlpond.Session, clause: str, data: str = "t", source: str = "t", *, training: bool = False
) -> list[Any]:
    """Fit a clause of one item on a table, and give its values for the rows of another."""
    query = fitted(pond, clause, source).query(data, training=training)
    return [row[0] for row in pond.con.execute(query).fetchall()]


def state(pond: mlpond.Session, clause: str, source: str = "t") -> Any:
    """What the first call of a clause learnt."""
    return fitted(pond, clause, source).learnt[0][0]

"""What the tests of the SQL library share."""

from __future__ import annotations

from collections.abc import Iterator

import duckdb
import pytest

import mlpond


@pytest.fixture(scope="module")
def con() -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection with the library, in memory, for all tests of a file."""
    with mlpond.connect() as session:
        yield session.con

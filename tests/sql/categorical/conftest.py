"""One session for the tests of this folder, with the seeds that they use."""

from __future__ import annotations

from collections.abc import Iterator

import duckdb
import pytest

import mlpond
from mlpond.seeds import load


@pytest.fixture(scope="package")
def con() -> Iterator[duckdb.DuckDBPyConnection]:
    with mlpond.connect() as session:
        for seed in ("penguins", "textbook"):
            load(session, seed)
        yield session.con

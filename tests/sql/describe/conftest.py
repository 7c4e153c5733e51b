"""One session for the tests of description."""

from __future__ import annotations

import pytest

import mlpond
from mlpond.seeds import load


@pytest.fixture(scope="module")
def pond():
    with mlpond.connect() as session:
        load(session, "penguins")
        load(session, "textbook")
        yield session


@pytest.fixture(scope="module")
def con(pond):
    return pond.con


@pytest.fixture(scope="module")
def column(con):
    """Load values into table t as column x, in order i."""

    def load_column(values, kind="double"):
        con.execute(f"create or replace table t (i integer, x {kind})")
        if len(values):
            con.execute(
                f"insert into t select unnest(?), unnest(?)::{kind}",
                [list(range(len(values))), [None if v is None else str(v) for v in values]],
            )

    return load_column

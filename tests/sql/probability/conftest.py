"""One session for the tests of probability."""

from __future__ import annotations

import pytest

import mlpond


@pytest.fixture(scope="module")
def pond(load_penguins):
    with mlpond.connect() as session:
        load_penguins(session)
        yield session


@pytest.fixture(scope="module")
def con(pond):
    return pond.con

"""A session a test file, and models of tables whose fit statsmodels knows."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import Any

import numpy as np
import pytest
import statsmodels.api as sm

import mlpond
from mlpond.session import Session


@pytest.fixture(scope="module")
def session() -> Iterator[Session]:
    with mlpond.connect() as pond:
        yield pond


class Study:
    """A table t of features x1, x2, …, label y, groups g and h and order i, and its model m."""

    def __init__(self, session: Session, X: Any, y: Any, groups: Any = None) -> None:
        self.session, self.X, self.y = session, np.asarray(X, float), np.asarray(y, float)
        n, k = self.X.shape
        self.groups = np.zeros((n, 2), int) if groups is None else np.asarray(groups, int)
        names = ", ".join(f"x{j + 1} double" for j in range(k))
        session.con.execute(
            f"create or replace table t (i integer, g integer, h integer, {names}, y double)"
        )
        listed = np.column_stack([np.arange(n), self.groups, self.X, self.y]).tolist()
        session.con.executemany(f"insert into t values ({', '.join('?' * (k + 4))})", listed)
        self.drop()
        session.sql(
            "create model m options (model_type = 'linear_reg', input_label_cols = ['y'], "
            "data_split_method = 'no_split') as select * exclude (i, g, h) from t"
        )
        self.exog = np.column_stack([np.ones(n), self.X])

    @cached_property
    def fit(self) -> Any:
        return sm.OLS(self.y, self.exog).fit()

    def drop(self) -> None:
        self.session.sql("drop model if exists m")

    def weights(self, query: str) -> dict[str, Any]:
        """The columns of a result of weights as arrays, the intercept first as in statsmodels."""
        columns, found = self.rows(query)
        found = found[-1:] + found[:-1]
        return {
            name: np.array([np.nan if row[j] is None else row[j] for row in found], float)
            for j, name in enumerate(columns)
            if name not in ("processed_input", "category")
        }

    def record(self, query: str) -> dict[str, Any]:
        columns, found = self.rows(query)
        assert len(found) == 1
        return dict(zip(columns, found[0], strict=True))

    def rows(self, query: str) -> tuple[list[str], list[tuple[Any, ...]]]:
        done = self.session.con.execute(query)
        return [column[0] for column in done.description], done.fetchall()


@pytest.fixture(scope="module")
def study(session: Session) -> Any:
    """Make a study of random rows: skewed features far from 0, errors whose spread depends on x1."""

    def make(seed: int, n: int = 120, k: int = 3) -> Study:
        rng = np.random.default_rng(seed)
        X = rng.gamma(2.0, size=(n, k)) * 10.0 ** rng.integers(-2, 3, k) + rng.normal(size=k) * 5
        z = (X - X.mean(axis=0)) / X.std(axis=0)
        y = 7 + z @ rng.normal(size=k) + rng.normal(size=n) * np.exp(z[:, 0] / 2)
        groups = np.column_stack([rng.integers(0, max(2, n // 6), n), rng.integers(0, 5, n)])
        groups[:2] = [[0, 0], [1, 1]]  # two clusters at least
        return Study(session, X, np.round(y, 2), groups)

    return make


@pytest.fixture(scope="module")
def rows_given(session: Session) -> Any:
    """Make a study of given rows."""
    return lambda X, y, groups=None: Study(session, X, y, groups)

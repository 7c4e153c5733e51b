"""One table of labels, scores and predictions for all tests of evaluation."""

from __future__ import annotations

from types import SimpleNamespace

import duckdb
import numpy as np
import pyarrow as pa
import pytest


@pytest.fixture(scope="module")
def data() -> SimpleNamespace:
    """400 rows: labels of two and of four classes, numbers, scores with and without ties, weights."""
    rng = np.random.default_rng(17)
    n = 400
    y = rng.random(n) < 0.4
    score = rng.normal(size=n) + 1.2 * y
    k = rng.integers(0, 4, n)
    label = rng.normal(3, 2, n)
    return SimpleNamespace(
        i=np.arange(n), y=y, score=score, coarse=np.round(score, 1), other=score + rng.normal(0, 1, n),
        p=1 / (1 + np.exp(-1.5 * score)), w=rng.integers(0, 5, n) / 2 + 0.25, called=score > 0.4,
        k=k, g=np.where(rng.random(n) < 0.6, k, rng.integers(0, 5, n)),  # 4 is predicted, never true
        label=label, predicted=label + rng.normal(0.1, 1, n),
    )  # fmt: skip


@pytest.fixture(scope="module")
def rows(con: duckdb.DuckDBPyConnection, data: SimpleNamespace) -> duckdb.DuckDBPyConnection:
    """A connection with the data as table t, and as table holes with rows that know less."""
    con.register("arrays", pa.table(vars(data)))
    con.execute("create or replace table t as select * from arrays order by hash(i)").fetchall()
    con.execute(
        "create or replace table holes as select * from t union all by name "
        "select * from (values (null, 0.5, 0.5, 1, 1, 1), (true, null, null, 1, null, 2), "
        "(false, 'nan'::double, 'nan'::double, 1, 'nan'::double, 3)) as r(y, score, p, w, label, predicted)"
    ).fetchall()
    return con

"""Functions that need Python, registered for all sessions of a database."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

import duckdb

if TYPE_CHECKING:
    from mlpond.engine import Engine
    from mlpond.instance import Instance

INSTANCE = "ml_instance"  # the function that tells which of mlpond.instance a connection is to

# Variables of a connection: whether ml_nearest (for all models) and ml_knn_impute can be called;
# and the full name of a model that is not committed yet, with what ml_nearest knows its points by,
# quoted.
HAS_NEAREST, OFFERED = "mlpond_has_nearest", "mlpond_offered"


@contextmanager
def in_plain_sql(engine: Engine) -> Iterator[None]:
    """Let the functions of models use SQL alone within a block, but for models that are offered.

    A UDF reads by a cursor of its own, which does not see a model before it is committed.
    """
    had = engine.value(f"select coalesce(getvariable('{HAS_NEAREST}'), false)")
    engine.execute(f"set variable {HAS_NEAREST} = false; reset variable {OFFERED}")
    try:
        yield
    finally:
        with engine.if_alive():
            engine.execute(f"set variable {HAS_NEAREST} = {had}")


def register(instance: Instance) -> None:
    """Make the functions callable from SQL on every connection of a database.

    A UDF runs inside a query of the caller, so it trains on a cursor: it sees committed tables
    only, and what it makes is committed when it returns.
    """

    def ml_instance() -> str:
        return instance.token

    def ml_train(model: str, query: str, options: str) -> str:
        from mlpond.models.execute import train_from_sql

        return train_from_sql(instance, model, query, options)

    def ml_eliminate(query: str, options: str, step: int, folds: int) -> str:
        from mlpond.models.execute import eliminate_from_sql

        return eliminate_from_sql(instance, query, options, step, folds)

    def ml_nearest(model: Any, version: Any, k: Any, probes: Any, metric: Any, x: Any) -> Any:
        from mlpond.models.neighbors import nearest_in_session

        return nearest_in_session(instance, (model, version, k, probes, metric, x))

    def ml_outlier_scores(method: Any, first: Any, second: Any, seed: Any, points: Any) -> Any:
        from mlpond.outliers import outlier_scores

        return outlier_scores((method, first, second, seed, points))

    def create(name: str, function: Any, *types: Any, **options: Any) -> None:
        make: Any = instance.engine.con.create_function  # the stubs do not know type="arrow"
        make(name, function, *types, **options)
        instance.functions.append(name)

    create(INSTANCE, ml_instance)
    create("ml_train", ml_train, side_effects=True)
    create("ml_eliminate", ml_eliminate, side_effects=True)
    create(
        "ml_nearest",
        ml_nearest,
        ["VARCHAR", "INTEGER", "INTEGER", "INTEGER", "VARCHAR", "DOUBLE[]"],
        "STRUCT(distance DOUBLE, point_id BIGINT, value DOUBLE)[]",
        type="arrow",
    )
    create(
        "ml_knn_impute",
        _knn_impute,
        ["DOUBLE[][]", "DOUBLE[][]", "INTEGER", "VARCHAR"],
        "DOUBLE[][]",
        type="arrow",
    )
    create(
        "ml_outlier_scores",
        ml_outlier_scores,
        ["VARCHAR", "INTEGER", "INTEGER", "BIGINT", "DOUBLE[][]"],
        "DOUBLE[]",
        type="arrow",
    )


def unregister(instance: Instance) -> None:
    """Take the functions away again, by the connection that registered them."""
    for name in instance.functions:
        with suppress(duckdb.Error):  # the database may be past answering
            instance.engine.con.remove_function(name)


def _knn_impute(rows: Any, donors: Any, k: Any, weights: Any) -> Any:
    """Answer ``ml_knn_impute(rows, donors, k, weights)``: tables as lists of rows."""
    import pyarrow as pa

    from mlpond.udfs.neighbours.imputation import impute

    answers = [
        impute(_matrix(x), _matrix(y, like=x), n.as_py(), how.as_py())
        for x, y, n, how in zip(rows, donors, k, weights, strict=True)
    ]
    kind = pa.list_(pa.list_(pa.float64()))
    return pa.array([answer.tolist() for answer in answers], kind, from_pandas=True)


def _matrix(rows: Any, like: Any = None) -> Any:
    """The rows of a list of lists as a matrix, nan where there is NULL."""
    import numpy as np

    from mlpond.arrow import to_numpy

    values, width = rows.values, len((rows if like is None else like).values[0])
    flat = to_numpy(values.flatten()).astype(np.float64)
    return flat.reshape(len(values), width)

"""svm_classifier with a linear kernel against scikit-learn's LinearSVC.

python -m benchmarks.support_vectors [--rows 1000000] [--runs 3]
"""

from __future__ import annotations

import argparse

import duckdb

from benchmarks.harness import compare, prepared
from benchmarks.tables import linear_table

MEMORY_LIMIT = "1GB"  # for DuckDB, the same for every contender


def _import_ours() -> None:
    import mlpond.models.execute
    import mlpond.models.families.svm
    import mlpond.session
    import mlpond.udfs.svm.linear  # noqa: F401


def _import_scikit_learn() -> None:
    import pandas  # noqa: F401
    import sklearn.pipeline
    import sklearn.preprocessing
    import sklearn.svm  # noqa: F401


def _ours(database: str, loss: str) -> list[float]:
    import mlpond

    with mlpond.connect(database, memory_limit=MEMORY_LIMIT) as pond:
        pond.sql(
            "create or replace model bench options (model_type = 'svm_classifier', "
            f"input_label_cols = ['late'], data_split_method = 'no_split', loss = '{loss}') "
            "as select * exclude (y) from t"
        )
        relation = pond.sql("select weight from ml.weights('bench', standardize := true)")
        assert relation is not None
        weights = [row[0] for row in relation.fetchall()]
        pond.sql("drop model bench")
    return weights


@prepared(_import_ours)
def mlpond_squared_hinge(database: str) -> list[float]:
    return _ours(database, "squared_hinge")


@prepared(_import_ours)
def mlpond_hinge(database: str) -> list[float]:
    return _ours(database, "hinge")


def _theirs(database: str, loss: str) -> list[float]:
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler
    from sklearn.svm import LinearSVC

    con = duckdb.connect(database, read_only=True, config={"memory_limit": MEMORY_LIMIT})
    frame = con.execute("select * from t").df()  # as users do: the whole table
    con.close()
    fit = make_pipeline(StandardScaler(), LinearSVC(loss=loss)).fit(
        frame.drop(columns=["y", "late"]), frame["late"]
    )
    return [*fit[-1].coef_[0], *fit[-1].intercept_]


@prepared(_import_scikit_learn)
def scikit_learn_squared_hinge(database: str) -> list[float]:
    return _theirs(database, "squared_hinge")


@prepared(_import_scikit_learn)
def scikit_learn_hinge(database: str) -> list[float]:
    return _theirs(database, "hinge")


def main() -> None:
    """Run the comparisons."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--features", type=int, default=50)
    parser.add_argument("--runs", type=int, default=3)
    chosen = parser.parse_args()
    table = linear_table(chosen.rows, chosen.features)
    for loss in ("squared_hinge", "hinge"):
        compare(
            f"linear support vector machine, {loss}, {chosen.rows:,} × {chosen.features}", table,
            [f"support_vectors:mlpond_{loss}", f"support_vectors:scikit_learn_{loss}"],
            runs=chosen.runs, target="LinearSVC ≥ 1.5 × our time, ≥ 2 × our memory",
        )  # fmt: skip


if __name__ == "__main__":
    main()

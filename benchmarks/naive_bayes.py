"""naive_bayes against scikit-learn's GaussianNB.

python -m benchmarks.naive_bayes [--rows 10000000] [--runs 3]
"""

from __future__ import annotations

import argparse

import duckdb

from benchmarks.harness import compare, prepared
from benchmarks.tables import linear_table

MEMORY_LIMIT = "1GB"  # for DuckDB, the same for every contender


def _import_ours() -> None:
    import mlpond.models.execute
    import mlpond.models.families.naive_bayes
    import mlpond.session  # noqa: F401


def _import_scikit_learn() -> None:
    import pandas  # noqa: F401
    import sklearn.naive_bayes  # noqa: F401


@prepared(_import_ours)
def mlpond_naive_bayes(database: str) -> list[float]:
    import mlpond

    with mlpond.connect(database, memory_limit=MEMORY_LIMIT) as pond:
        pond.sql(
            "create or replace model bench options (model_type = 'naive_bayes', "
            "input_label_cols = ['late'], data_split_method = 'no_split') "
            "as select * exclude (y) from t"
        )
        relation = pond.sql(
            "select variance from ml.class_parameters where model = 'bench' "
            "and distribution = 'gaussian' order by class_label, position"
        )
        assert relation is not None
        values = [row[0] for row in relation.fetchall()]
        pond.sql("drop model bench")
    return values


@prepared(_import_scikit_learn)
def scikit_learn_naive_bayes(database: str) -> list[float]:
    from sklearn.naive_bayes import GaussianNB

    con = duckdb.connect(database, read_only=True, config={"memory_limit": MEMORY_LIMIT})
    frame = con.execute("select * from t").df()  # as users do: the whole table
    con.close()
    fit = GaussianNB().fit(frame.drop(columns=["y", "late"]), frame["late"])
    return list(fit.var_.ravel())


def main() -> None:
    """Run the comparison."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--features", type=int, default=20)
    parser.add_argument("--runs", type=int, default=3)
    chosen = parser.parse_args()
    compare(
        f"naive Bayes, {chosen.rows:,} × {chosen.features}",
        linear_table(chosen.rows, chosen.features),
        ["naive_bayes:mlpond_naive_bayes", "naive_bayes:scikit_learn_naive_bayes"],
        runs=chosen.runs, target="scikit-learn ≥ 5 × our time, ≥ 2 × our memory",
    )  # fmt: skip


if __name__ == "__main__":
    main()

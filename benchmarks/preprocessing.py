"""TRANSFORM against scikit-learn's ColumnTransformer: 30 columns by ten functions.

python -m benchmarks.preprocessing [--rows 10000000] [--runs 3]

Ours fits a transform_only model and puts the transformed rows into a temporary table, or into a
table of the file, which is compressed and written to disk; scikit-learn fetches the rows, fits, and
ends with the transformed columns in memory. Both find exact quantiles; one-hot columns are sparse
there, one entry of a list a row here.

The numbers compared are standard deviations of transformed columns. StandardScaler divides by the
deviation with n, ours with n - 1: that factor is taken out. What is left at a million rows is 1e-7
of x12, whose quartiles are interpolated there and elements of the data here.
"""

from __future__ import annotations

import argparse
from math import sqrt

import duckdb

import mlpond
from benchmarks.harness import compare, prepared
from benchmarks.tables import mixed_table

MEMORY_LIMIT = "2GB"  # for DuckDB, the same for every contender
# (function of ours, its other arguments, columns)
WORK = (
    ("STANDARD_SCALER", "", range(5)),
    ("MIN_MAX_SCALER", "", range(5, 9)),
    ("MAX_ABS_SCALER", "", range(9, 12)),
    ("ROBUST_SCALER", "", range(12, 14)),
    ("QUANTILE_BUCKETIZE", ", 10", range(14, 16)),
    ("IMPUTER", ", 'mean'", range(16, 18)),
    ("IMPUTER", ", 'median'", range(18, 20)),
    ("IMPUTER", ", 'most_frequent'", range(20, 23)),
    ("LABEL_ENCODER", "", range(23, 26)),
    ("ONE_HOT_ENCODER", "", range(26, 30)),
)


def _import_ours() -> None:
    import pandas  # noqa: F401

    import mlpond.models.execute
    import mlpond.models.families.transform_only
    import mlpond.session  # noqa: F401


def _import_scikit_learn() -> None:
    import pandas  # noqa: F401
    import sklearn.compose
    import sklearn.impute
    import sklearn.preprocessing  # noqa: F401


def _ours(database: str, kind: str) -> list[float]:
    clause = ", ".join(
        f"ML.{name}(x{k}{more}) OVER () AS x{k}" for name, more, columns in WORK for k in columns
    )
    with mlpond.connect(database, memory_limit=MEMORY_LIMIT) as pond:
        pond.sql(
            f"create or replace model bench transform ({clause}) options (model_type = "
            "'transform_only') as select * from t"
        )
        pond.sql(f"create {kind} table transformed as from ml.transform('bench', 't')")
        found = pond.engine.row(
            "select stddev_pop(columns(['x0', 'x5', 'x9', 'x12', 'x16', 'x18', 'x23'])) "
            "from transformed"
        )
        pond.sql("drop model bench")
        pond.sql("drop table transformed")
    return list(found)


@prepared(_import_ours)
def mlpond_transform(database: str) -> list[float]:
    return _ours(database, "temporary")


@prepared(_import_ours)
def mlpond_transform_to_disk(database: str) -> list[float]:
    return _ours(database, "or replace")


@prepared(_import_scikit_learn)
def scikit_learn_column_transformer(database: str) -> list[float]:
    from sklearn.compose import ColumnTransformer
    from sklearn.impute import SimpleImputer
    from sklearn.preprocessing import (
        KBinsDiscretizer,
        MaxAbsScaler,
        MinMaxScaler,
        OneHotEncoder,
        OrdinalEncoder,
        RobustScaler,
        StandardScaler,
    )

    con = duckdb.connect(database, read_only=True, config={"memory_limit": MEMORY_LIMIT})
    frame = con.execute("from t").df()
    con.close()
    bins = KBinsDiscretizer(
        10, encode="ordinal", quantile_method="averaged_inverted_cdf", subsample=None
    )
    peers = (
        StandardScaler(), MinMaxScaler(), MaxAbsScaler(), RobustScaler(), bins, SimpleImputer(),
        SimpleImputer(strategy="median"),
        SimpleImputer(strategy="most_frequent"),
        OrdinalEncoder(), OneHotEncoder(),
    )  # fmt: skip
    parts = [
        (f"{name}{place}", peer, [f"x{k}" for k in columns])
        for place, ((name, _, columns), peer) in enumerate(zip(WORK, peers, strict=True))
    ]
    # each part by itself: joined, the texts would make an array of Python objects of every number
    found = {}
    for name, peer, columns in parts:
        part = ColumnTransformer([(name, peer, columns)])
        found[columns[0]] = part.fit_transform(frame)
    first = {name: values[:, 0] for name, values in found.items() if name != "x26"}
    names = ("x0", "x5", "x9", "x12", "x16", "x18", "x23")
    first["x0"] *= sqrt((len(frame) - 1) / len(frame))
    return [float(first[name].std()) for name in names]


def main() -> None:
    """Run the comparison."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--runs", type=int, default=3)
    chosen = parser.parse_args()
    database = mixed_table(chosen.rows)
    mlpond.connect(database).close()  # the library of today, if the file is older
    compare(
        f"ten preprocessing functions, {chosen.rows:,} × 30",
        database,
        ["preprocessing:mlpond_transform", "preprocessing:scikit_learn_column_transformer",
         "preprocessing:mlpond_transform_to_disk"],
        runs=chosen.runs, target="scikit-learn ≥ 5 × our time, ≥ 2 × our memory",
    )  # fmt: skip


if __name__ == "__main__":
    main()

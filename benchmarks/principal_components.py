"""pca against scikit-learn.

python -m benchmarks.principal_components [--rows 5000000] [--runs 3]
"""

from __future__ import annotations

import argparse

import duckdb

from benchmarks.harness import compare, prepared
from benchmarks.tables import linear_table

MEMORY_LIMIT = "1GB"  # for DuckDB, the same for every contender
COMPONENTS = 10


def _import_ours() -> None:
    import mlpond.models.execute
    import mlpond.models.families.pca
    import mlpond.session
    import mlpond.udfs.decomposition.pca  # noqa: F401


def _import_scikit_learn() -> None:
    import pandas  # noqa: F401
    import sklearn.decomposition
    import sklearn.preprocessing  # noqa: F401


def _ours(database: str, options: str) -> list[float]:
    import mlpond

    with mlpond.connect(database, memory_limit=MEMORY_LIMIT) as pond:
        pond.sql(
            f"create or replace model bench options (model_type = 'pca', "
            f"num_principal_components = {COMPONENTS}{options}) "
            "as select * exclude (y, late) from t"
        )
        relation = pond.sql("select eigenvalue from ml.principal_component_info('bench')")
        assert relation is not None
        values = [row[0] for row in relation.fetchall()]
        pond.sql("drop model bench")
    return values


@prepared(_import_ours)
def mlpond_pca(database: str) -> list[float]:
    return _ours(database, ", scale_features = false")


@prepared(_import_ours)
def mlpond_pca_scaled(database: str) -> list[float]:
    return _ours(database, "")


def _fetch(database: str):  # type: ignore[no-untyped-def]
    """Fetch as users do: the whole table as a data frame."""
    con = duckdb.connect(database, read_only=True, config={"memory_limit": MEMORY_LIMIT})
    frame = con.execute("select * exclude (y, late) from t").df()
    con.close()
    return frame


@prepared(_import_scikit_learn)
def scikit_learn_pca(database: str) -> list[float]:
    from sklearn.decomposition import PCA

    return list(PCA(COMPONENTS).fit(_fetch(database)).explained_variance_)


@prepared(_import_scikit_learn)
def scikit_learn_pca_scaled(database: str) -> list[float]:
    from sklearn.decomposition import PCA
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    fit = make_pipeline(StandardScaler(), PCA(COMPONENTS)).fit(_fetch(database))
    return list(fit[-1].explained_variance_)


def main() -> None:
    """Run the comparisons."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=5_000_000)
    parser.add_argument("--features", type=int, default=50)
    parser.add_argument("--runs", type=int, default=3)
    chosen = parser.parse_args()
    compare(
        f"principal components, {chosen.rows:,} × {chosen.features}",
        linear_table(chosen.rows, chosen.features),
        ["principal_components:mlpond_pca", "principal_components:scikit_learn_pca",
         "principal_components:mlpond_pca_scaled", "principal_components:scikit_learn_pca_scaled"],
        runs=chosen.runs, target="scikit-learn ≥ 3 × our time, ≥ 2 × our memory",
    )  # fmt: skip


if __name__ == "__main__":
    main()

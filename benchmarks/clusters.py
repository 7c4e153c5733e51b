"""kmeans and knn_classifier against scikit-learn.

python -m benchmarks.clusters [--rows 2000000] [--points 1000000] [--queries 100000] [--runs 3]
"""

from __future__ import annotations

import argparse
from typing import Any

import duckdb

from benchmarks.harness import compare, prepared
from benchmarks.tables import clustered_table, neighbors_table

MEMORY_LIMIT = "1GB"  # for DuckDB, the same for every contender
CLUSTERS = 20


def _import_ours() -> None:
    import mlpond.models.execute
    import mlpond.models.families.kmeans
    import mlpond.models.families.knn
    import mlpond.session
    import mlpond.udfs.clustering.kmeans
    import mlpond.udfs.distance_loops
    import mlpond.udfs.neighbours.inverted_file  # noqa: F401


def _import_scikit_learn() -> None:
    import pandas  # noqa: F401
    import sklearn.cluster
    import sklearn.neighbors  # noqa: F401


def _kmeans(database: str, extra: str = "") -> list[float]:
    import mlpond

    with mlpond.connect(database, memory_limit=MEMORY_LIMIT) as pond:
        pond.sql(
            "create or replace model bench options (model_type = 'kmeans', "
            f"num_clusters = {CLUSTERS}, kmeans_init_method = 'kmeans++'{extra}) as from t"
        )
        relation = pond.sql("select loss from ml.models where name = 'bench'")
        assert relation is not None
        found = [float(row[0]) for row in relation.fetchall()]
        pond.sql("drop model bench")
    return found


@prepared(_import_ours)
def mlpond_kmeans(database: str) -> list[float]:
    return _kmeans(database)


@prepared(_import_ours)
def mlpond_kmeans_20(database: str) -> list[float]:
    # 20 passes over all rows, however small the progress
    return _kmeans(database, ", max_iterations = 20, min_rel_progress = 0")


def _scikit_learn_kmeans(database: str, **options: Any) -> list[float]:
    from sklearn.cluster import KMeans

    con = duckdb.connect(database, read_only=True, config={"memory_limit": MEMORY_LIMIT})
    frame = con.execute("from t").df()
    con.close()
    frame = (frame - frame.mean()) / frame.std()
    fit = KMeans(CLUSTERS, n_init=1, random_state=0, **options).fit(frame)
    return [fit.inertia_ / len(frame)]


@prepared(_import_scikit_learn)
def scikit_learn_kmeans(database: str) -> list[float]:
    return _scikit_learn_kmeans(database)


@prepared(_import_scikit_learn)
def scikit_learn_kmeans_20(database: str) -> list[float]:
    return _scikit_learn_kmeans(database, max_iter=20, tol=0)


@prepared(_import_ours)
def mlpond_neighbors(database: str) -> list[float]:
    import mlpond

    with mlpond.connect(database, memory_limit=MEMORY_LIMIT) as pond:
        pond.sql(
            "create or replace model bench options (model_type = 'knn_classifier', "
            "input_label_cols = ['y'], data_split_method = 'no_split', "
            "standardize_features = false) as from t"
        )
        relation = pond.sql("select avg(predicted_y), count(*) from ml.predict('bench', 'q')")
        assert relation is not None
        found = [float(value) for value in relation.fetchall()[0]]
        pond.sql("drop model bench")
    return found


@prepared(_import_scikit_learn)
def scikit_learn_neighbors(database: str) -> list[float]:
    from sklearn.neighbors import KNeighborsClassifier

    con = duckdb.connect(database, read_only=True, config={"memory_limit": MEMORY_LIMIT})
    frame = con.execute("from t").df()
    queries = con.execute("from q").df()
    con.close()
    fit = KNeighborsClassifier(5).fit(frame.drop(columns="y"), frame["y"])
    predicted = fit.predict(queries)
    return [float(predicted.mean()), float(len(predicted))]


def main() -> None:
    """Run the comparisons."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=2_000_000)
    parser.add_argument("--points", type=int, default=1_000_000)
    parser.add_argument("--queries", type=int, default=100_000)
    parser.add_argument("--runs", type=int, default=3)
    chosen = parser.parse_args()
    table = clustered_table(chosen.rows, 16, CLUSTERS)
    compare(
        f"k-means to its end, {chosen.rows:,} × 16, {CLUSTERS} clusters", table,
        ["clusters:mlpond_kmeans", "clusters:scikit_learn_kmeans"],
        runs=chosen.runs, target="scikit-learn ≥ 1.5 × our time, ≥ 2 × our memory",
    )  # fmt: skip
    compare(
        f"k-means, 20 passes over all rows, {chosen.rows:,} × 16, {CLUSTERS} clusters", table,
        ["clusters:mlpond_kmeans_20", "clusters:scikit_learn_kmeans_20"],
        runs=chosen.runs, target="scikit-learn ≥ 1.5 × our time, ≥ 2 × our memory",
    )  # fmt: skip
    compare(
        f"5 nearest neighbours, {chosen.queries:,} × 32 against {chosen.points:,}",
        neighbors_table(chosen.points, chosen.queries, 32),
        ["clusters:mlpond_neighbors", "clusters:scikit_learn_neighbors"],
        runs=chosen.runs, target="scikit-learn ≥ 1 × our time, ≥ 2 × our memory",
    )  # fmt: skip


if __name__ == "__main__":
    main()

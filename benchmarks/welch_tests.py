"""Welch's t test of every metric in every country, against scipy and tea-tasting.

python -m benchmarks.welch_tests [--rows 10000000] [--metrics 20] [--runs 3]

Ours are ml.t_tests, which groups by arm, and the aggregate ml.t_test_welch, which cannot and tells
the arms apart row by row. scipy gets the rows from DuckDB as a data frame. tea-tasting sends
counts, means and variances to DuckDB as queries, one a country, as it compares variants of one
table at a time.
"""

from __future__ import annotations

import argparse

import duckdb

from benchmarks.harness import compare, prepared
from benchmarks.tables import experiment_table

MEMORY_LIMIT = "4GB"  # for DuckDB, the same for every contender


def _import_ours() -> None:
    import mlpond.session  # noqa: F401


def _import_scipy() -> None:
    import pandas as pd  # noqa: F401
    import scipy.stats  # noqa: F401


def _import_tea_tasting() -> None:
    import sys
    from types import ModuleType

    # ibis imports it to guard pyarrow before 14.0.1; later versions need no guard
    sys.modules.setdefault("pyarrow_hotfix", ModuleType("pyarrow_hotfix"))
    import ibis
    import tea_tasting  # noqa: F401

    ibis.duckdb.connect()


def _metrics(con: duckdb.DuckDBPyConnection) -> list[str]:
    return [row[0] for row in con.execute("describe t").fetchall() if row[0].startswith("m")]


@prepared(_import_ours)
def mlpond_t_tests(database: str) -> list[float]:
    import mlpond

    with mlpond.connect(database, memory_limit=MEMORY_LIMIT) as pond:
        metrics = _metrics(pond.con)
        found = pond.con.execute(
            f"select segment, metric, statistic from ml.t_tests('t', {metrics}, 'treated', "
            "segment := 'country')"
        ).fetchall()
        return [row[2] for row in sorted(found, key=lambda row: (row[0], metrics.index(row[1])))]


@prepared(_import_ours)
def mlpond_aggregates(database: str) -> list[float]:
    import mlpond

    with mlpond.connect(database, memory_limit=MEMORY_LIMIT) as pond:
        metrics = _metrics(pond.con)
        tests = ", ".join(f"ml.t_test_welch({metric}, treated) as {metric}" for metric in metrics)
        relation = pond.sql(f"select country, {tests} from t group by country order by country")
        assert relation is not None
        return [test["statistic"] for _, *row in relation.fetchall() for test in row]


@prepared(_import_scipy)
def scipy_welch(database: str) -> list[float]:
    from scipy import stats

    con = duckdb.connect(database, read_only=True, config={"memory_limit": MEMORY_LIMIT})
    metrics = _metrics(con)
    frame = con.execute("select * from t").df()
    con.close()
    statistics = []
    for _, rows in frame.groupby("country", sort=True):
        treatment, control = rows[rows["treated"]], rows[~rows["treated"]]
        for metric in metrics:
            test = stats.ttest_ind(treatment[metric], control[metric], equal_var=False)
            statistics.append(test.statistic)
    return statistics


@prepared(_import_tea_tasting)
def tea_tasting_welch(database: str) -> list[float]:
    import ibis
    import tea_tasting as tt

    con = ibis.duckdb.connect(database, read_only=True, memory_limit=MEMORY_LIMIT)
    table = con.table("t")
    metrics = [name for name in table.columns if name.startswith("m")]
    countries = sorted(table.select("country").distinct().execute()["country"])
    experiment = tt.Experiment({m: tt.Mean(m) for m in metrics}, variant="treated")
    statistics = []
    for country in countries:
        result = experiment.analyze(table.filter(table.country == country), control=False)
        statistics += [result[m].statistic for m in metrics]
    con.disconnect()
    return statistics


def main() -> None:
    """Run the comparison."""
    import mlpond

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--metrics", type=int, default=20)
    parser.add_argument("--runs", type=int, default=3)
    chosen = parser.parse_args()
    table = experiment_table(chosen.rows, chosen.metrics)
    mlpond.connect(str(table)).close()  # installs the library in the file, once
    compare(
        f"Welch tests of {chosen.metrics} metrics in 10 countries, {chosen.rows:,} rows", table,
        ["welch_tests:mlpond_t_tests", "welch_tests:mlpond_aggregates", "welch_tests:scipy_welch",
         "welch_tests:tea_tasting_welch"],
        runs=chosen.runs, target="scipy ≥ 10 × our time, tea-tasting ≥ 3 ×",
    )  # fmt: skip


if __name__ == "__main__":
    main()

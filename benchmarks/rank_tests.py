"""Rank tests and Kolmogorov–Smirnov against scipy, which fetches the rows first.

python -m benchmarks.rank_tests [--rows 10000000] [--runs 3]
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

import duckdb

from benchmarks.harness import compare, prepared
from benchmarks.tables import kept, normal, uniform

COLUMNS = ("y", "k")  # normal without ties; log-normal in whole numbers, about 1,300 distinct


def rank_table(rows: int) -> Path:
    """A file with table t(treated, y, k) and the library in it."""
    import mlpond

    def fill(path: Path) -> None:
        with mlpond.connect(path) as pond:
            pond.con.execute(
                f"create table t as select {uniform(1)} < 0.5 as treated, "
                f"{normal(2)} + 1e-3 * ({uniform(1)} < 0.5)::int as y, "
                f"floor(exp(3e0 + {normal(4)}))::int as k from range({rows}) r(i)"
            ).fetchall()

    return kept(f"ranked_{rows}", f"{rows:,} rows", fill)


def _import_scipy() -> None:
    import numpy
    import scipy.stats  # noqa: F401

    numpy.random.default_rng()


def _ours(database: str, test: str, column: str) -> list[float]:
    # the library is in the file: a plain connection is enough
    con = duckdb.connect(database, read_only=True)
    row = con.execute(
        f"select statistic, p_value from ml.{test}('t', '{column}', 'treated')"
    ).fetchone()
    con.close()
    assert row is not None
    return list(row)


def _scipy(database: str, test: str, column: str) -> list[float]:
    from scipy import stats

    con = duckdb.connect(database, read_only=True)
    arrays = con.execute(f"select treated, {column} from t").fetchnumpy()
    con.close()
    treatment, control = (
        arrays[column][arrays["treated"] == is_treated] for is_treated in (True, False)
    )
    if test == "ks_2samp":
        found = stats.ks_2samp(treatment, control, method="asymp")
    elif test == "mann_whitney":
        found = stats.mannwhitneyu(treatment, control)
    elif test == "brunner_munzel":
        found = stats.brunnermunzel(control, treatment)
    else:
        found = stats.kruskal(treatment, control)
    return [found.statistic, found.pvalue]


TESTS = ("mann_whitney", "ks_2samp", "kruskal_wallis", "brunner_munzel")


def _contender(
    run: Callable[[str, str, str], list[float]], test: str, column: str
) -> Callable[[str], list[float]]:
    def contender(database: str) -> list[float]:
        return run(database, test, column)

    return prepared(_import_scipy)(contender)


for _test in TESTS:
    for _column in COLUMNS:
        globals()[f"mlpond_{_test}_{_column}"] = _contender(_ours, _test, _column)
        globals()[f"scipy_{_test}_{_column}"] = _contender(_scipy, _test, _column)


def main() -> None:
    """Run the comparisons."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--tests", nargs="*", default=list(TESTS))
    chosen = parser.parse_args()
    table = rank_table(chosen.rows)
    for test in chosen.tests:
        for column, what in zip(COLUMNS, ("no ties", "1,300 distinct values"), strict=True):
            compare(
                f"{test}, {chosen.rows:,} rows, {what}", table,
                [f"rank_tests:mlpond_{test}_{column}", f"rank_tests:scipy_{test}_{column}"],
                runs=chosen.runs, target="scipy ≥ 3 × our time",
            )  # fmt: skip


if __name__ == "__main__":
    main()

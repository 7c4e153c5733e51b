"""Analysis of variance and chi-square in the database against scipy and its fetch.

python -m benchmarks.group_tests [--rows 10000000] [--runs 3]
"""

from __future__ import annotations

import argparse
from typing import Any

import duckdb

import mlpond
from benchmarks.harness import compare
from benchmarks.linear_models import prepared
from benchmarks.tables import group_table


def _import_scipy() -> None:
    import pandas as pd  # noqa: F401
    import scipy.stats  # noqa: F401


def _ours(database: str, query: str) -> list[float]:
    with mlpond.connect(database) as pond:
        return list(pond.con.execute(query).fetchall()[0])


def _fetch(database: str, columns: str) -> Any:
    with duckdb.connect(database, read_only=True) as con:
        return con.execute(f"select {columns} from t").df()


def mlpond_anova(database: str) -> list[float]:
    """One-way analysis of variance of a DOUBLE."""
    return _ours(database, "select statistic, p_value from ml.anova('t', 'y', 'arm')")


@prepared(_import_scipy)
def scipy_anova(database: str) -> list[float]:
    """The same rows, fetched and split by group."""
    from scipy import stats

    table = _fetch(database, "arm, y")
    found = stats.f_oneway(*(group.to_numpy() for _, group in table.groupby("arm")["y"]))
    return [found.statistic, found.pvalue]


def mlpond_anova_of_decimals(database: str) -> list[float]:
    """One-way analysis of variance of a DECIMAL, taken exactly."""
    return _ours(database, "select statistic, p_value from ml.anova('t', 'price', 'arm')")


@prepared(_import_scipy)
def scipy_anova_of_decimals(database: str) -> list[float]:
    """The same rows as doubles."""
    from scipy import stats

    table = _fetch(database, "arm, price::double as y")
    found = stats.f_oneway(*(group.to_numpy() for _, group in table.groupby("arm")["y"]))
    return [found.statistic, found.pvalue]


def mlpond_chi2(database: str) -> list[float]:
    """Chi-square of two columns of text."""
    return _ours(
        database, "select statistic, p_value from ml.chi2_independence('t', 'arm', 'plan')"
    )


@prepared(_import_scipy)
def scipy_chi2(database: str) -> list[float]:
    """The same rows, fetched and counted."""
    import pandas as pd
    from scipy import stats

    table = _fetch(database, "arm, plan")
    found = stats.chi2_contingency(pd.crosstab(table["arm"], table["plan"]))
    return [found.statistic, found.pvalue]


def main() -> None:
    """Run the comparisons."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--runs", type=int, default=3)
    chosen = parser.parse_args()
    table = group_table(chosen.rows)
    mlpond.connect(str(table)).close()  # installs the library, once
    for test in ("anova", "anova_of_decimals", "chi2"):
        compare(
            f"{test}, {chosen.rows:,} rows", table,
            [f"group_tests:mlpond_{test}", f"group_tests:scipy_{test}"],
            runs=chosen.runs, target="scipy with its fetch ≥ 3 × our time",
        )  # fmt: skip


if __name__ == "__main__":
    main()

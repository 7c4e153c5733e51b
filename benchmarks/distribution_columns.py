"""`t_sf` over a column of a million rows, beside scipy's vectorised C; rows in a DuckDB file to values in hand.

python -m benchmarks.distribution_columns
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import duckdb

import mlpond
from benchmarks.harness import compare

ROWS = 1_000_000


def ours(database: str) -> list[float]:
    """The tail as a column of the query."""
    with mlpond.connect(database, read_only=True) as session:
        tails = session.con.execute("select ml.t_sf(t, df) as p from statistics").fetchnumpy()["p"]
    return [float(tails.sum()), float(tails.min())]


def scipy(database: str) -> list[float]:
    """Fetched as numpy columns, then scipy."""
    from scipy import stats

    with duckdb.connect(database, read_only=True) as con:
        columns = con.execute("select t, df from statistics").fetchnumpy()
    tails = stats.t.sf(columns["t"], columns["df"])
    return [float(tails.sum()), float(tails.min())]


def main() -> None:
    """Make the table and time both."""
    with tempfile.TemporaryDirectory() as folder:
        database = Path(folder) / "statistics.duckdb"
        with mlpond.connect(database) as session:
            session.con.execute(
                "create table statistics as select 2 * ml.normal_random(1, i) as t, "
                f"3 + 100 * ml.random_uniform(2, i) as df from range({ROWS}) r(i)"
            )
        compare(
            f"t_sf over {ROWS:,} rows",
            database,
            ["distribution_columns:ours", "distribution_columns:scipy"],
            target="within 4 times of scipy",
        )


if __name__ == "__main__":
    main()

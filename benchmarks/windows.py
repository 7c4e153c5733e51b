"""Moving averages and as-of joins against pandas and polars, which fetch the rows first.

python -m benchmarks.windows [--rows 10000000] [--runs 3]
"""

from __future__ import annotations

import argparse
from pathlib import Path

import duckdb

from benchmarks.harness import compare, prepared
from benchmarks.tables import kept


def series_table(rows: int) -> Path:
    """A file with tables prices and trades: 1,000 keys, times in a year in no order, a value.

    A year has 31 million seconds, so that few rows of prices share key and time.
    """
    import mlpond

    def fill(path: Path) -> None:
        with mlpond.connect(path) as pond:
            for name, salt in {"prices": 1_000_003, "trades": 2_000_003}.items():
                pond.con.execute(
                    f"create table {name} as select (hash(i + {salt}) % 1000)::integer as k, "
                    f"timestamp '2024-01-01' + to_seconds((hash(i * 7 + {salt}) % 31000000)::bigint) as at_time, "
                    f"(hash(i * 11 + {salt}) % 100000) / 1000 as {name[:-1]} "
                    f"from range({rows}) r(i)"
                ).fetchall()

    path = kept(f"windows_{rows}", f"{rows:,} rows of two series", fill)
    mlpond.connect(path).close()  # the library of today, if the file is older
    return path


def _import_pandas() -> None:
    import pandas  # noqa: F401


def _import_polars() -> None:
    import polars  # noqa: F401
    import pyarrow  # noqa: F401


def _ours(database: str, query: str) -> list[float]:
    con = duckdb.connect(database, read_only=True)
    row = con.execute(query).fetchone()
    con.close()
    assert row is not None
    return list(row)


def _pandas(database: str, table: str):
    con = duckdb.connect(database, read_only=True)
    frame = con.execute(f"from {table}").df()
    con.close()
    return frame


def _polars(database: str, table: str):
    import polars as pl

    con = duckdb.connect(database, read_only=True)
    frame = pl.from_arrow(con.sql(f"from {table}").to_arrow_table())
    con.close()
    return frame


def mlpond_moving(database: str) -> list[float]:
    return _ours(
        database,
        "select avg(moving_mean), max(moving_mean) "
        "from ml.moving('prices', 'at_time', 'price', keys := ['k'])",
    )


@prepared(_import_pandas)
def pandas_moving(database: str) -> list[float]:
    frame = _pandas(database, "prices").sort_values(["k", "at_time", "price"])
    means = frame.groupby("k", sort=False)["price"].rolling(7, min_periods=1).mean()
    return [means.mean(), means.max()]


@prepared(_import_polars)
def polars_moving(database: str) -> list[float]:
    import polars as pl

    frame = _polars(database, "prices").sort("k", "at_time", "price")
    means = frame.select(pl.col("price").rolling_mean(7, min_samples=1).over("k"))["price"]
    return [means.mean(), means.max()]


def mlpond_asof(database: str) -> list[float]:
    return _ours(
        database,
        "select count(price), avg(price) from ml.asof_join('trades', 'prices', 'at_time', "
        "keys := ['k'], tolerance := '1 hour')",
    )


@prepared(_import_pandas)
def pandas_asof(database: str) -> list[float]:
    import pandas as pd

    left = _pandas(database, "trades").sort_values("at_time", kind="stable")
    right = _pandas(database, "prices").sort_values(["at_time", "k", "price"])
    found = pd.merge_asof(left, right, on="at_time", by="k", tolerance=pd.Timedelta("1h"))
    return [found["price"].count(), found["price"].mean()]


@prepared(_import_polars)
def polars_asof(database: str) -> list[float]:
    left = _polars(database, "trades").sort("at_time")
    right = _polars(database, "prices").sort("at_time", "k", "price")
    found = left.join_asof(right, on="at_time", by="k", tolerance="1h", check_sortedness=False)
    return [found["price"].count(), found["price"].mean()]


def main() -> None:
    """Run the comparisons."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--runs", type=int, default=3)
    chosen = parser.parse_args()
    table = series_table(chosen.rows)
    compare(
        f"moving average of 7 rows, 1,000 keys, {chosen.rows:,} rows", table,
        ["windows:mlpond_moving", "windows:pandas_moving", "windows:polars_moving"],
        runs=chosen.runs, target="pandas ≥ 5 × our time, polars ≥ 1 ×",
    )  # fmt: skip
    compare(
        f"as-of join by 1,000 keys, tolerance 1 hour, {chosen.rows:,} rows on each side", table,
        ["windows:mlpond_asof", "windows:pandas_asof", "windows:polars_asof"],
        runs=chosen.runs, target="pandas ≥ 5 × our time, polars ≥ 1 ×",
    )  # fmt: skip


if __name__ == "__main__":
    main()

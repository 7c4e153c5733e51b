"""Little's test against numpy, and near-duplicate numbers against scipy's tree; both fetch the rows.

python -m benchmarks.data_checks [--rows 1000000] [--runs 3]
"""

from __future__ import annotations

import argparse
from pathlib import Path

import duckdb

from benchmarks.harness import compare, prepared
from benchmarks.tables import kept, normal, uniform

COLUMNS = [f"x{k}" for k in range(6)]


def holes_table(rows: int) -> Path:
    """A file with table t: six correlated columns with values missing at random, and spots.

    Spots have a column of one value, one of many and one of ten; a tenth of the rows of t.
    """
    import mlpond

    columns = ", ".join(
        f"case when {uniform(20 + k)} > {(k + 1) / 20} then {normal(10 + k)} + z end as x{k}"
        for k in range(6)
    )

    def fill(path: Path) -> None:
        with mlpond.connect(path) as pond:
            pond.con.execute(
                f"create table t as select {columns} from (select i, {normal(1)} as z from range({rows}) r(i))"
            ).fetchall()
            pond.con.execute(
                f"create table spots as select i as id, 1e0 as a, {uniform(2)} as b, "
                f"floor({uniform(3)} * 10) as c from range({rows // 10}) r(i)"
            ).fetchall()

    path = kept(f"holes_{rows}", f"{rows:,} rows with holes", fill)
    mlpond.connect(path).close()  # the library of today, if the file is older
    return path


def _import_numpy() -> None:
    import numpy  # noqa: F401
    import scipy.spatial  # noqa: F401


def mlpond_mcar(database: str) -> list[float]:
    con = duckdb.connect(database, read_only=True)
    row = con.execute(f"select statistic, df from ml.mcar_test('t', {COLUMNS})").fetchone()
    con.close()
    assert row is not None
    return list(row)


@prepared(_import_numpy)
def numpy_mcar(database: str) -> list[float]:
    """EM as its formulas read: the rows of each pattern, from the fetched matrix."""
    import numpy as np

    con = duckdb.connect(database, read_only=True)
    fetched = con.execute("from t").fetchnumpy()
    con.close()
    X = np.column_stack([np.ma.filled(fetched[name].astype(float), np.nan) for name in COLUMNS])
    X = X[~np.isnan(X).all(axis=1)]
    X = (X - np.nanmean(X, axis=0)) / np.nanstd(X, axis=0)
    n, p = X.shape
    code = (~np.isnan(X)) @ (1 << np.arange(p))
    parts = [(rows := X[code == j], ~np.isnan(rows[0])) for j in np.unique(code)]
    mu, sigma, change = np.zeros(p), np.eye(p), 1.0
    while change > 1e-10:
        total, products = np.zeros(p), np.zeros((p, p))
        for rows, o in parts:
            m = ~o
            weights = np.linalg.solve(sigma[np.ix_(o, o)], sigma[np.ix_(o, m)])
            filled = rows - mu
            filled[:, m] = filled[:, o] @ weights
            total += filled.sum(axis=0)
            products += filled.T @ filled
            products[np.ix_(m, m)] += len(rows) * (
                sigma[np.ix_(m, m)] - sigma[np.ix_(m, o)] @ weights
            )
        step = total / n
        before = sigma
        mu, sigma = mu + step, products / n - np.outer(step, step)
        change = max(np.abs(step).max(), np.abs(sigma - before).max())
    statistic = 0.0
    for rows, o in parts:
        d = rows[:, o].mean(axis=0) - mu[o]
        statistic += len(rows) * d @ np.linalg.solve(sigma[np.ix_(o, o)], d)
    return [statistic, float(sum(o.sum() for _, o in parts) - p)]


def mlpond_near(database: str) -> list[float]:
    con = duckdb.connect(database, read_only=True)
    row = con.execute(
        "select count(*) from ml.near_duplicate_numbers('spots', 'id', ['a', 'b', 'c'], [1, 1e-4, 0.5])"
    ).fetchone()
    con.close()
    assert row is not None
    return list(row)


@prepared(_import_numpy)
def scipy_near(database: str) -> list[float]:
    import numpy as np
    from scipy.spatial import cKDTree

    con = duckdb.connect(database, read_only=True)
    spots = con.execute("select a, b, c from spots").fetchnumpy()
    con.close()
    scaled = np.column_stack([spots["a"], spots["b"] / 1e-4, spots["c"] / 0.5])
    return [float(len(cKDTree(scaled).query_pairs(1.0, p=np.inf, output_type="ndarray")))]


def main() -> None:
    """Run the comparisons."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--runs", type=int, default=3)
    chosen = parser.parse_args()
    table = holes_table(chosen.rows)
    compare(
        f"Little's test, {chosen.rows:,} rows of 6 columns", table,
        ["data_checks:mlpond_mcar", "data_checks:numpy_mcar"],
        runs=chosen.runs, target="ours below 2 s",
    )  # fmt: skip
    compare(
        f"Near-duplicate numbers, {chosen.rows // 10:,} rows, the first column constant", table,
        ["data_checks:mlpond_near", "data_checks:scipy_near"],
        runs=chosen.runs, target="ours below 1 s; by the first column it was a minute",
    )  # fmt: skip


if __name__ == "__main__":
    main()

"""Regression inference in SQL against statsmodels, which has to fetch the table first.

Both train the model as well; `mlpond_hc3_only` takes the model that is in the file.

python -m benchmarks.regression_inference [--rows 1000000] [--features 10] [--runs 3]
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import duckdb
import numpy as np

from benchmarks.harness import compare
from benchmarks.linear_models import prepared
from benchmarks.tables import linear_table

CLUSTERS = 1000  # rows in a cluster
ROWS = f"(select *, rowid as row, rowid // {CLUSTERS} as cluster from t)"


def _import_ours() -> None:
    import mlpond.models.execute
    import mlpond.session
    import mlpond.udfs.linear.linear_regression  # noqa: F401


def _import_statsmodels() -> None:
    import statsmodels.api
    import statsmodels.stats.diagnostic
    import statsmodels.stats.outliers_influence  # noqa: F401


def _train(pond: Any) -> None:
    pond.sql(
        "create or replace model inference options (model_type = 'linear_reg', "
        "input_label_cols = ['y'], data_split_method = 'no_split') as select * exclude (late) from t"
    )


def _ours(database: str, query: str, train: bool = True) -> list[float]:
    import mlpond

    with mlpond.connect(database) as pond:
        if train:
            _train(pond)
        return [row[0] for row in pond.con.execute(query).fetchall()]


def _errors(function: str) -> str:
    return f"select standard_error from ml.{function}"


@prepared(_import_ours)
def mlpond_hc3(database: str) -> list[float]:
    return _ours(database, _errors("robust_weights('inference')"))


@prepared(_import_ours)
def mlpond_hc3_only(database: str) -> list[float]:
    return _ours(database, _errors("robust_weights('inference')"), train=False)


@prepared(_import_ours)
def mlpond_clustered(database: str) -> list[float]:
    return _ours(database, _errors(f"clustered_weights('inference', '{ROWS}', 'cluster')"))


@prepared(_import_ours)
def mlpond_newey_west(database: str) -> list[float]:
    return _ours(database, _errors(f"newey_west_weights('inference', '{ROWS}', 'row')"))


@prepared(_import_ours)
def mlpond_breusch_pagan(database: str) -> list[float]:
    return _ours(database, "select statistic from ml.breusch_pagan('inference')")


@prepared(_import_ours)
def mlpond_cooks_distance(database: str) -> list[float]:
    return _ours(database, "select max(cooks_distance) from ml.influence('inference')")


def _fit(database: str) -> tuple[Any, Any]:
    """Fetch the table as a data frame and fit."""
    import statsmodels.api as sm

    con = duckdb.connect(database, read_only=True)
    frame = con.execute("select * exclude (late) from t").df()
    con.close()
    X = frame.drop(columns="y").to_numpy()
    return sm.OLS(frame["y"].to_numpy(), np.column_stack([X, np.ones(len(X))])).fit(), frame


def _robust(database: str, kind: str, **options: Any) -> list[float]:
    fit, frame = _fit(database)
    if kind == "cluster":
        options["groups"] = np.arange(len(frame)) // CLUSTERS
    return list(fit.get_robustcov_results(kind, use_t=True, **options).bse)


@prepared(_import_statsmodels)
def statsmodels_hc3(database: str) -> list[float]:
    return _robust(database, "HC3")


@prepared(_import_statsmodels)
def statsmodels_clustered(database: str) -> list[float]:
    return _robust(database, "cluster")


@prepared(_import_statsmodels)
def statsmodels_newey_west(database: str) -> list[float]:
    fit, frame = _fit(database)
    lags = int(4 * (len(frame) / 100) ** (2 / 9))
    return list(fit.get_robustcov_results("HAC", maxlags=lags, use_t=True).bse)


@prepared(_import_statsmodels)
def statsmodels_breusch_pagan(database: str) -> list[float]:
    from statsmodels.stats.diagnostic import het_breuschpagan

    fit, _ = _fit(database)
    return [het_breuschpagan(fit.resid, fit.model.exog)[0]]


@prepared(_import_statsmodels)
def statsmodels_cooks_distance(database: str) -> list[float]:
    from statsmodels.stats.outliers_influence import OLSInfluence

    fit, _ = _fit(database)
    return [float(OLSInfluence(fit).cooks_distance[0].max())]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--features", type=int, default=10)
    parser.add_argument("--runs", type=int, default=3)
    chosen = parser.parse_args()
    import mlpond

    database: Path = linear_table(chosen.rows, chosen.features)
    with mlpond.connect(database) as pond:  # the library is installed once a file
        _train(pond)
    size = f"{chosen.rows:,} rows × {chosen.features}"
    for name in ("hc3", "clustered", "newey_west", "breusch_pagan", "cooks_distance"):
        contenders = [f"mlpond_{name}", f"statsmodels_{name}"]
        if name == "hc3":
            contenders.append("mlpond_hc3_only")
        compare(
            f"{name}, {size}",
            database,
            [f"regression_inference:{contender}" for contender in contenders],
            runs=chosen.runs,
            target="faster than fetching the table",
        )


if __name__ == "__main__":
    main()

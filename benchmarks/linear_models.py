"""linear_reg and logistic_reg against scikit-learn and statsmodels.

python -m benchmarks.linear_models [--rows 5000000] [--runs 3] [--large]
"""

from __future__ import annotations

import argparse
from typing import Any

import duckdb
import numpy as np

from benchmarks.harness import compare, prepared
from benchmarks.tables import linear_table

MEMORY_LIMIT = "1GB"  # for DuckDB, the same for every contender


def _import_ours() -> None:
    import mlpond.models.execute
    import mlpond.session
    import mlpond.udfs.linear.linear_regression
    import mlpond.udfs.linear.logistic_regression  # noqa: F401


def _import_scikit_learn() -> None:
    import sklearn.linear_model  # noqa: F401


def _import_statsmodels() -> None:
    import statsmodels.api  # noqa: F401


def _ours(database: str, kind: str, label: str, other: str, extra: str = "") -> list[float]:
    import mlpond

    with mlpond.connect(database, memory_limit=MEMORY_LIMIT) as pond:
        pond.sql(
            f"create or replace model bench options (model_type = '{kind}', "
            f"input_label_cols = ['{label}'], data_split_method = 'no_split'{extra}) "
            f"as select * exclude ({other}) from t"
        )
        relation = pond.sql("select weight from ml.weights('bench')")
        assert relation is not None
        weights = [row[0] for row in relation.fetchall()]
        pond.sql("drop model bench")
    return weights


@prepared(_import_ours)
def mlpond_linear(database: str) -> list[float]:
    return _ours(database, "linear_reg", "y", "late")


@prepared(_import_ours)
def mlpond_linear_with_tests(database: str) -> list[float]:
    extra = ", calculate_p_values = true, category_encoding_method = 'dummy_encoding'"
    return _ours(database, "linear_reg", "y", "late", extra)


@prepared(_import_ours)
def mlpond_logistic(database: str) -> list[float]:
    return _ours(database, "logistic_reg", "late", "y")


def _fetch(database: str, label: str) -> tuple[Any, Any]:
    """Fetch as users do: the whole table as a data frame, then X and y."""
    con = duckdb.connect(database, read_only=True, config={"memory_limit": MEMORY_LIMIT})
    frame = con.execute("select * from t").df()
    con.close()
    return frame.drop(columns=["y", "late"]), frame[label]


@prepared(_import_scikit_learn)
def scikit_learn_linear(database: str) -> list[float]:
    from sklearn.linear_model import LinearRegression

    X, y = _fetch(database, "y")
    fit = LinearRegression().fit(X, y)
    return [*fit.coef_, fit.intercept_]


@prepared(_import_scikit_learn)
def scikit_learn_logistic(database: str) -> list[float]:
    from sklearn.linear_model import LogisticRegression

    X, y = _fetch(database, "late")
    # no penalty, as ours; the tolerance is scikit-learn's own
    fit = LogisticRegression(C=np.inf, max_iter=1000).fit(X, y)
    return [*fit.coef_[0], fit.intercept_[0]]


@prepared(_import_scikit_learn)
def scikit_learn_logistic_converged(database: str) -> list[float]:
    from sklearn.linear_model import LogisticRegression

    X, y = _fetch(database, "late")
    # a tolerance at which its coefficients have some six digits, as those of the others have
    fit = LogisticRegression(C=np.inf, max_iter=1000, tol=1e-9).fit(X, y)
    return [*fit.coef_[0], fit.intercept_[0]]


@prepared(_import_statsmodels)
def statsmodels_linear(database: str) -> list[float]:
    import statsmodels.api as sm

    X, y = _fetch(database, "y")
    fit = sm.OLS(y, sm.add_constant(X)).fit()
    return [*fit.params.iloc[1:], fit.params.iloc[0]]


@prepared(_import_statsmodels)
def statsmodels_logistic(database: str) -> list[float]:
    import statsmodels.api as sm

    X, y = _fetch(database, "late")
    fit = sm.Logit(y.astype(float), sm.add_constant(X)).fit(disp=0)
    return [*fit.params.iloc[1:], fit.params.iloc[0]]


def main() -> None:
    """Run the comparisons."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=5_000_000)
    parser.add_argument("--features", type=int, default=20)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--large", action="store_true", help="also 50 million rows of 10 features")
    chosen = parser.parse_args()
    size = f"{chosen.rows:,} × {chosen.features}"
    table = linear_table(chosen.rows, chosen.features)
    compare(
        f"linear regression, {size}", table,
        ["linear_models:mlpond_linear", "linear_models:scikit_learn_linear",
         "linear_models:mlpond_linear_with_tests", "linear_models:statsmodels_linear"],
        runs=chosen.runs, target="scikit-learn ≥ 5 × our time, ≥ 2 × our memory",
    )  # fmt: skip
    compare(
        f"logistic regression, {size}", table,
        ["linear_models:mlpond_logistic", "linear_models:scikit_learn_logistic",
         "linear_models:scikit_learn_logistic_converged", "linear_models:statsmodels_logistic"],
        runs=chosen.runs, target="scikit-learn ≥ 3 × our time, ≥ 2 × our memory",
    )  # fmt: skip
    if chosen.large:
        compare(
            "linear regression, 50,000,000 × 10", linear_table(50_000_000, 10),
            ["linear_models:mlpond_linear"], runs=1, target="under 2,000 MB",
        )  # fmt: skip


if __name__ == "__main__":
    main()

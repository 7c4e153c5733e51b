"""Area under the ROC curve against scikit-learn, which fetches the rows first.

python -m benchmarks.roc_auc [--rows 20000000] [--runs 3]
"""

from __future__ import annotations

import argparse
from pathlib import Path

import duckdb

from benchmarks.harness import compare, prepared
from benchmarks.tables import kept, normal, uniform


def score_table(rows: int) -> Path:
    """A file with table t(is_positive, score, rounded) and the library in it.

    Scores are probabilities without ties; rounded ones have three digits.
    """
    import mlpond

    def fill(path: Path) -> None:
        with mlpond.connect(path) as pond:
            pond.con.execute(
                "create table t as select *, round(score, 3) as rounded from ("
                f"select is_positive, 1e0 / (1e0 + exp(-{normal(2)} - is_positive::int)) as score "
                f"from (select i, {uniform(1)} < 0.5 as is_positive from range({rows}) r(i)))"
            ).fetchall()

    path = kept(f"scores_{rows}", f"{rows:,} rows of scores", fill)
    mlpond.connect(path).close()  # the library of today, if the file is older
    return path


def _import_scikit_learn() -> None:
    import sklearn.metrics  # noqa: F401


def _ours(database: str, arguments: str) -> list[float]:
    # the library is in the file: a plain connection is enough
    con = duckdb.connect(database, read_only=True)
    row = con.execute(f"select roc_auc from ml.roc_auc('t', 'is_positive', {arguments})").fetchone()
    con.close()
    assert row is not None
    return list(row)


def _scikit_learn(database: str, score: str) -> list[float]:
    from sklearn.metrics import roc_auc_score

    con = duckdb.connect(database, read_only=True)
    frame = con.execute(f"select is_positive, {score} from t").df()
    con.close()
    return [roc_auc_score(frame["is_positive"], frame[score])]


def mlpond_area(database: str) -> list[float]:
    return _ours(database, "'score', confidence_level := null")


def mlpond_with_interval(database: str) -> list[float]:
    return _ours(database, "'score'")


def mlpond_rounded(database: str) -> list[float]:
    return _ours(database, "'rounded'")


@prepared(_import_scikit_learn)
def scikit_learn(database: str) -> list[float]:
    return _scikit_learn(database, "score")


@prepared(_import_scikit_learn)
def scikit_learn_rounded(database: str) -> list[float]:
    return _scikit_learn(database, "rounded")


def main() -> None:
    """Run the comparisons."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=20_000_000)
    parser.add_argument("--runs", type=int, default=3)
    chosen = parser.parse_args()
    table = score_table(chosen.rows)
    compare(
        f"ROC AUC, {chosen.rows:,} rows, all scores distinct", table,
        ["roc_auc:mlpond_area", "roc_auc:scikit_learn", "roc_auc:mlpond_with_interval"],
        runs=chosen.runs, target="scikit-learn ≥ 5 × our time, ≥ 2 × our memory",
    )  # fmt: skip
    compare(
        f"ROC AUC, {chosen.rows:,} rows, 1,000 distinct scores", table,
        ["roc_auc:mlpond_rounded", "roc_auc:scikit_learn_rounded"],
        runs=chosen.runs, target="scikit-learn ≥ 5 × our time",
    )  # fmt: skip


if __name__ == "__main__":
    main()

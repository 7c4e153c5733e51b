"""matrix_factorization against the package implicit, both from a table of ratings in a file.

Both minimise the same sum, from other random starts: implicit multiplies the preferences by the
confidence that it is given, so it is given 1 + alpha · rating. The first number of a contender is
its objective over the sum of confidences. implicit works in float32, mlpond in float64.

python -m benchmarks.factorization [--rows 1000000] [--runs 3]
"""

from __future__ import annotations

import argparse

import duckdb
import numpy as np

from benchmarks.harness import compare, prepared
from benchmarks.tables import rating_table

ALPHA, PENALTY, ITERATIONS = 40.0, 1.0, 15


def _import_ours() -> None:
    import mlpond.models.families.matrix_factorization
    import mlpond.session
    import mlpond.udfs.recommend.loops
    import mlpond.udfs.recommend.matrix_factorization  # noqa: F401


def _import_implicit() -> None:
    import implicit.cpu.als  # noqa: F401
    import pandas  # noqa: F401
    import scipy.sparse  # noqa: F401


def _ours(database: str, options: str) -> list[float]:
    import mlpond

    with mlpond.connect(database) as pond:
        pond.sql(
            f"create or replace model bench options (model_type = 'matrix_factorization', "
            f"max_iterations = {ITERATIONS}, early_stop = false, l2_reg = {PENALTY}, {options}) "
            "as select * from t"
        )
        (objective,) = pond.con.execute(
            'select value / (select count(distinct "user") * count(distinct item) '
            f"+ {ALPHA} * sum(rating) from t) "
            "from ml.fit_statistics where model = 'bench' and name = 'objective'"
        ).fetchall()[0]
        pond.sql("drop model bench")
    return [objective]


def _implicit(database: str, factors: int, use_cg: bool) -> list[float]:
    import scipy.sparse as sp
    from implicit.cpu._als import calculate_loss
    from implicit.cpu.als import AlternatingLeastSquares
    from threadpoolctl import threadpool_limits

    # fetched as users do: a data frame, ids to codes, a sparse matrix
    con = duckdb.connect(database, read_only=True)
    frame = con.execute("select * from t").df()
    con.close()
    user, item = (frame[name].astype("category").cat.codes for name in ("user", "item"))
    confidence = (1 + ALPHA * frame["rating"]).astype(np.float32)
    matrix = sp.csr_matrix((confidence, (user, item)))
    model = AlternatingLeastSquares(
        factors=factors, regularization=PENALTY, alpha=1.0, iterations=ITERATIONS, use_cg=use_cg,
        random_state=0,
    )  # fmt: skip
    with threadpool_limits(1, "blas"):  # as its documentation asks
        model.fit(matrix, show_progress=False)
        return [calculate_loss(matrix, model.user_factors, model.item_factors, PENALTY)]


@prepared(_import_ours)
def mlpond_64_factors(database: str) -> list[float]:
    return _ours(database, f"feedback_type = 'implicit', wals_alpha = {ALPHA}, num_factors = 64")


@prepared(_import_implicit)
def implicit_64_factors(database: str) -> list[float]:
    return _implicit(database, 64, True)


@prepared(_import_ours)
def mlpond_20_factors(database: str) -> list[float]:
    return _ours(database, f"feedback_type = 'implicit', wals_alpha = {ALPHA}, num_factors = 20")


@prepared(_import_implicit)
def implicit_20_factors(database: str) -> list[float]:
    return _implicit(database, 20, True)


@prepared(_import_implicit)
def implicit_20_factors_exact(database: str) -> list[float]:
    return _implicit(database, 20, False)


@prepared(_import_ours)
def mlpond_explicit_20_factors(database: str) -> list[float]:
    return _ours(database, "num_factors = 20")


def main() -> None:
    """Run the comparisons."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--runs", type=int, default=3)
    chosen = parser.parse_args()
    table = rating_table(chosen.rows, 6_000, 3_700)
    target = "implicit ≥ 1 × our time, ≥ 2 × our memory"
    compare(
        f"implicit feedback, {chosen.rows:,} ratings, 64 factors", table,
        ["factorization:mlpond_64_factors", "factorization:implicit_64_factors"],
        runs=chosen.runs, target=target,
    )  # fmt: skip
    compare(
        f"implicit feedback, {chosen.rows:,} ratings, 20 factors (ours solves exactly)", table,
        ["factorization:mlpond_20_factors", "factorization:implicit_20_factors",
         "factorization:implicit_20_factors_exact", "factorization:mlpond_explicit_20_factors"],
        runs=chosen.runs, target=target,
    )  # fmt: skip


if __name__ == "__main__":
    main()

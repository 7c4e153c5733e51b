"""Every trainer that streams, on a table that is larger than DuckDB's memory and the limit of all.

python -m benchmarks.larger_than_memory [--rows 10000000]
"""

from __future__ import annotations

import argparse
from functools import partial

from benchmarks.harness import compare
from benchmarks.tables import linear_table

MEMORY_LIMIT = "1GB"  # the table has 1.6 GB
# What stands in OPTIONS, and the columns that the query leaves out.
MODELS = {
    "linear_reg": ("input_label_cols = ['y']", "late"),
    "logistic_reg": ("input_label_cols = ['late']", "y"),
    "glm": ("family = 'POISSON', input_label_cols = ['late']", "y"),
    "naive_bayes": ("input_label_cols = ['late']", "y"),
    "svm_classifier": ("input_label_cols = ['late']", "y"),
    "svm_regressor": ("input_label_cols = ['y']", "late"),
    "kmeans": ("num_clusters = 8, max_iterations = 10", "y, late"),
    "gaussian_mixture": ("num_components = 3, max_iterations = 5", "y, late"),
    "pca": ("num_principal_components = 5", "y, late"),
}


def _train(database: str, kind: str) -> list[float]:
    import mlpond

    options, left_out = MODELS[kind]
    columns = f"* exclude ({left_out})"
    if kind == "glm":  # counts
        columns += " replace (late::integer as late)"
    with mlpond.connect(database, memory_limit=MEMORY_LIMIT) as pond:
        pond.sql(
            f"create or replace model bench options (model_type = '{kind}', "
            f"data_split_method = 'no_split', {options}) as select {columns} from t"
        )
        relation = pond.sql("select loss from ml.models where name = 'bench'")
        assert relation is not None
        loss = relation.fetchall()[0][0]
        pond.sql("drop model bench")
    return [] if loss is None else [loss]


# the harness finds a contender by its name
for _kind in MODELS:
    globals()[_kind] = partial(_train, kind=_kind)


def main() -> None:
    """Train them all, once."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=10_000_000)
    chosen = parser.parse_args()
    table = linear_table(chosen.rows, 20)
    for kind in MODELS:
        compare(
            f"{kind}, {chosen.rows:,} × 20 with {MEMORY_LIMIT}", table,
            [f"larger_than_memory:{kind}"], runs=1, target="it ends, and peak MB",
        )  # fmt: skip


if __name__ == "__main__":
    main()

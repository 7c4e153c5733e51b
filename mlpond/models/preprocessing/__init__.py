"""The preprocessing functions of TRANSFORM: what each learns, and its SQL with that in it."""

from __future__ import annotations

from mlpond.models.preprocessing import (
    buckets,
    categories,
    crosses,
    encoders,
    evidence,
    group_statistics,
    imputers,
    nearest_imputer,
    powers,
    quantiles,
    row_features,
    scalers,
    series,
    splines,
    targets,
    vectors,
    words,
)
from mlpond.models.preprocessing.function import Call, Function, Learnt
from mlpond.models.preprocessing.learning import learn

MODULES = (
    buckets, categories, crosses, encoders, evidence, group_statistics, imputers, nearest_imputer,
    powers, quantiles, row_features, scalers, series, splines, targets, vectors, words,
)  # fmt: skip
FUNCTIONS: dict[str, Function] = {
    function.name: function for module in MODULES for function in module.FUNCTIONS
}

__all__ = ["FUNCTIONS", "Call", "Function", "Learnt", "learn"]

"""The function ``ml_outlier_scores`` of a session: scores that need all rows at once."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

import numpy as np

from mlpond.arrow import from_numpy, to_numpy


def outlier_scores(columns: Sequence[Any]) -> Any:
    """Answer ``ml_outlier_scores(method, first, second, seed, points)``, Arrow columns all.

    A row of the call is a group of rows: its points, a list of lists of equal length, and what the
    method is told: trees, sample and seed of an isolation forest, or neighbours.

    Returns:
        A list of scores for every list of points.
    """
    import pyarrow as pa

    from mlpond.udfs.outliers.isolation_forest import isolation_forest
    from mlpond.udfs.outliers.local_outlier_factor import local_outlier_factor

    method, first, second, seed = (column.to_pylist() for column in columns[:4])
    points = columns[4]
    points = points.combine_chunks() if hasattr(points, "combine_chunks") else points
    threads = os.cpu_count() or 1
    found = []
    for i, group in enumerate(points):
        listed = group.values  # a list array: the points
        x = to_numpy(listed.flatten()).reshape(len(listed), -1)
        if method[i] == "isolation_forest":
            scores = isolation_forest(x, first[i], second[i], seed[i], threads)
        else:
            scores = local_outlier_factor(x, first[i], threads)
        found.append(scores)
    offsets = np.concatenate([[0], np.cumsum([len(scores) for scores in found])])
    values = np.concatenate(found) if found else np.zeros(0)
    starts: Any = from_numpy(offsets.astype(np.int32))
    return pa.ListArray.from_arrays(starts, from_numpy(values))

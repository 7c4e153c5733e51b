"""The walk of rows down the trees of a forest, compiled: a row makes some 800 steps."""

from __future__ import annotations

import numpy as np
from numba import njit

from mlpond.udfs.design import Array, IntArray


@njit(cache=True, nogil=True)
def path_lengths(
    X: Array,
    roots: IntArray,
    column: IntArray,
    cut: Array,
    left: IntArray,
    right: IntArray,
    depth: Array,
    limit: int,
) -> Array:
    """Sum the path lengths of the rows of X, shape (n, p), over the trees that begin at roots."""
    total = np.zeros(len(X))
    for i in range(len(X)):
        for root in roots:
            node = root
            for _ in range(limit):
                node = left[node] if X[i, column[node]] < cut[node] else right[node]
            total[i] += depth[node]
    return total

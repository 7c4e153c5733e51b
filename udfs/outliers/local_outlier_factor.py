"""Local outlier factor: how much thinner is it around a row than around its neighbours?

    d_k(x)      distance of x to its k-th nearest other row
    reach(x, y) = max(d_k(y), d(x, y))
    density(x)  = k / sum over the k nearest y of reach(x, y)
    LOF(x)      = mean over the k nearest y of density(y) / density(x); about 1 within a cluster

Source: Breunig, Kriegel, Ng & Sander (2000), LOF: identifying density-based local outliers, SIGMOD.
"""

from __future__ import annotations

import numpy as np

from mlpond.udfs.design import Array
from mlpond.udfs.distance import Points

# Added to the mean reach, so that rows that are more than k times there have a density.
TINY = 1e-10


def local_outlier_factor(X: Array, neighbours: int = 20, threads: int = 1) -> Array:
    """Return the factor of the rows of X, shape (n, p), finite.

    Args:
        X: The rows.
        neighbours: k, from 1; n - 1 if there are fewer other rows.
        threads: How many threads may work at once.

    Raises:
        ValueError: k is below 1.
    """
    if neighbours < 1:
        raise ValueError(
            f"local_outlier_factor: neighbours is {neighbours}; it must be at least 1."
        )
    n = len(X)
    k = min(neighbours, n - 1)
    if k < 1:
        return np.full(n, np.nan)
    found = Points(X).nearest(X, k, exclude=np.arange(n), threads=threads)
    farthest = found.distance[:, -1]  # d_k of every row, (n,)
    reach = np.maximum(farthest[found.index], found.distance)  # (n, k)
    density = 1.0 / (reach.mean(axis=1) + TINY)
    return np.asarray(density[found.index].mean(axis=1) / density)

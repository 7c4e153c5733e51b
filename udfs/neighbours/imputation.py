"""Missing values from the nearest rows that have them.

Throughout: X (n, p) rows to fill, Y (m, p) rows to learn from, nan where a value is missing.

Two rows are compared by the columns C that both have, as if the others differed as much:

    d(x, y)² = p / |C| sum over C of (x_c - y_c)²

and not at all where C is empty. A missing x_c is the mean of y_c over the k nearest rows that have
it, plain or weighted by 1 / d; of equal distances the first rows count, and rows at distance 0
alone if there are any. Where no row can be compared it is the mean of the column.

Rows that miss the same columns are measured together, so that the distances are those of
udfs/distance.py, which keeps their digits.

Source: Troyanskaya et al. (2001), Missing value estimation methods for DNA microarrays,
    Bioinformatics 17; scikit-learn's nan_euclidean_distances and KNNImputer.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mlpond.udfs.design import Array, IntArray
from mlpond.udfs.distance import pieces, smallest, squared_distances

CELLS = 2**20  # distances that are kept at once: 8 MB
WEIGHTS = ("uniform", "distance")


def impute(X: Array, Y: Array, k: int = 5, weights: str = "uniform") -> Array:
    """Fill the missing values of X from the rows of Y.

    Args:
        X: Rows, shape (n, p); nan is missing.
        Y: Rows, shape (m, p); nan is missing. X itself may be given.
        k: Rows to take a value from, 1 or more; fewer if fewer have it.
        weights: One of WEIGHTS.

    Returns:
        X with the values filled in, shape (n, p); nan stays where Y has no value in the column.

    Raises:
        ValueError: X and Y have other numbers of columns, or k or weights is not accepted.
    """
    if X.ndim != 2 or Y.ndim != 2 or X.shape[1] != Y.shape[1]:
        raise ValueError(f"impute: X has shape {X.shape} and Y {Y.shape}; p must be the same.")
    if k < 1 or weights not in WEIGHTS:
        raise ValueError(f"impute: k is {k} and weights {weights!r}; pass 1 or more, {WEIGHTS}.")
    filled = X.copy()
    has = ~np.isnan(Y)  # (m, p)
    n_values = has.sum(axis=0)  # (p,)
    means = np.where(has, Y, 0.0).sum(axis=0) / np.where(n_values, n_values, np.nan)  # (p,)
    donors = _patterns(Y)
    for rows, missing in _patterns(X):
        if not missing.any():
            continue
        for part in pieces(len(rows), max(1, CELLS // max(len(Y), 1))):
            chosen = rows[part]
            squared = _distances(X[chosen], ~missing, Y, donors)  # (rows, m)
            for column in np.flatnonzero(missing):
                some = np.flatnonzero(has[:, column])
                values = _means(squared[:, some], Y[some, column], k, weights)
                filled[chosen, column] = np.where(np.isnan(values), means[column], values)
    return filled


Patterns = list[tuple[IntArray, NDArray[np.bool_]]]


def _patterns(X: Array) -> Patterns:
    """The rows (their numbers) that miss the same columns (p,), for each set of columns."""
    if not len(X):
        return []
    patterns, which = np.unique(np.isnan(X), axis=0, return_inverse=True)
    which = which.ravel()
    return [(np.flatnonzero(which == i), pattern) for i, pattern in enumerate(patterns)]


def _distances(x: Array, known: NDArray[np.bool_], Y: Array, donors: Patterns) -> Array:
    """Squared distances (rows, m) of rows that have the same columns; inf where none is shared."""
    squared = np.full((len(x), len(Y)), np.inf)
    for rows, missing in donors:
        both = known & ~missing  # (p,)
        if both.any():
            scale = len(both) / both.sum()
            squared[:, rows] = scale * squared_distances(x[:, both], Y[rows][:, both])
    return squared


def _means(squared: Array, y: Array, k: int, weights: str) -> Array:
    """The mean (rows,) of y (m,) over the nearest; nan where there are none."""
    if not len(y):
        return np.full(len(squared), np.nan)
    index, near = smallest(squared, min(k, len(y)))  # (rows, k)
    share = np.isfinite(near).astype(np.float64)
    if weights == "distance":
        at = (near == 0.0).any(axis=1, keepdims=True)
        with np.errstate(divide="ignore"):
            share = np.where(at, (near == 0.0).astype(np.float64), 1.0 / np.sqrt(near))
    total = share.sum(axis=1)
    with np.errstate(invalid="ignore"):
        return np.asarray((share * y[index]).sum(axis=1) / np.where(total > 0.0, total, np.nan))

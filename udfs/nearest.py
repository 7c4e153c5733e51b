"""The search for the nearest points: single precision sifts, double precision decides.

Throughout: n queries x_i, m points y_j, p columns; v_ij = |y_j|² / 2 - x_i·y_j orders the points of
a query as their distances do, d² = |x|² + 2 v.

In single precision the product takes half the time, and v is off by at most

    e_i = 2**-24 (p + 8) (|x_i| |y| + |y|²)        |y| the greatest length of a point

so the k nearest are among the points with v up to the k-th least v + 2 e_i. They are few more than
k. Their distances are then computed from the differences, in double precision, and sorted. Where
they are not few (many points at the same distance, points at very different scales), the query
gives up and is answered by the full matrix.

Source of the error bound: Higham (2002), Accuracy and Stability of Numerical Algorithms, 3.1.
"""

from __future__ import annotations

import numpy as np

from mlpond.udfs.design import Array, IntArray

QUERIES = 2048  # that share one conversion of the points to single precision
QUERIES_AT_ONCE, POINTS_AT_ONCE = 128, 2048  # of one product: 1 MB
UNIT_ROUNDOFF = 2.0**-24


class Search:
    """Queries on their way through the points.

    Args:
        X: The queries, shape (n, p), C order.
        Y: All points, shape (m, p), C order.
        norms: |y|², shape (m,).
        size: The greatest length of a point.
        k: How many are looked for.
        exclude: For each query a point that is not for it, or -1, shape (n,).
        unit: Whether rows have unit length; those of zeros are then 2 from every other, squared.
    """

    def __init__(
        self,
        X: Array,
        Y: Array,
        norms: Array,
        size: float,
        k: int,
        exclude: IntArray | None,
        *,
        unit: bool,
    ) -> None:
        n, p = X.shape
        self._X, self._Y, self._k, self._unit = X, Y, k, unit
        self._scale = 1.0 / size if size > 0.0 else 1.0
        lengths = np.sqrt(np.einsum("ij,ij->i", X, X)) * self._scale
        # a query beyond the range of single precision would not find anything
        self._reach = lengths < 1e6
        self._X32 = (X * np.where(self._reach, self._scale, 0.0)[:, None]).astype(np.float32)
        self._norms = norms
        self._slack = (2.0 * UNIT_ROUNDOFF * (p + 8) * (lengths + 1.0)).astype(np.float32)
        self._limit = np.full(n, np.inf, dtype=np.float32)
        room = 4 * k + 128
        self._count = np.where(self._reach, 0, -1).astype(np.int64)
        self._index = np.empty((n, room), dtype=np.int64)
        self._value = np.empty((n, room), dtype=np.float32)
        self._excluded = np.full(n, -1, dtype=np.int64) if exclude is None else exclude

    def offer(self, first: int, last: int, rows: IntArray | None = None) -> None:
        """Offer the points from the first up to the last to all queries, or to some."""
        from mlpond.udfs.distance_loops import offer

        rows = np.arange(len(self._X)) if rows is None else rows
        for start in range(first, last, POINTS_AT_ONCE):
            columns = slice(start, min(start + POINTS_AT_ONCE, last))
            Y = (self._Y[columns] * self._scale).astype(np.float32)
            half = (self._half(columns) * self._scale**2).astype(np.float32)
            for at in range(0, rows.size, QUERIES_AT_ONCE):
                some = rows[at : at + QUERIES_AT_ONCE]
                offer(
                    self._X32[some] @ Y.T, half, start, some, self._excluded, self._k,
                    self._slack, self._limit, self._count, self._index, self._value,
                )  # fmt: skip

    def _half(self, columns: slice) -> Array:
        """|y|² / 2; a row of zeros is as far from all directions as an orthogonal one."""
        norms = self._norms[columns]
        return (np.where(norms > 0.0, norms, 1.0) if self._unit else norms) / 2.0

    def settle(self) -> tuple[IntArray, Array, IntArray]:
        """The nearest points, their squared distances, both (n, k), and the queries that gave up.

        A query that was offered fewer than k points counts as one that gave up.
        """
        from mlpond.udfs.distance_loops import settle

        index = np.zeros((len(self._X), self._k), dtype=np.int64)
        squared = np.full(index.shape, np.inf)
        self._count[self._count < self._k] = -1
        settle(self._X, self._Y, self._k, self._unit, self._count, self._index, index, squared)
        return index, squared, np.flatnonzero(self._count < 0)

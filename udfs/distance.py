"""Distances between rows, and the nearest rows: the one kernel under all models that need either.

Throughout: x_i row i of X (n, p), y_j row j of Y (m, p), d_ij the distance between the two.

    euclidean           d_ij = (sum_c (x_ic - y_jc)²)^(1/2)
    squared_euclidean   its square
    manhattan           d_ij = sum_c |x_ic - y_jc|
    cosine              d_ij = 1 - x_i·y_j / (|x_i| |y_j|), in [0, 2]; 1 where either is all zeros

The squares come from one matrix product, |x|² + |y|² - 2 x·y, which cancels where x is near y: its
error is a rounding of |x|² + |y|², not of d². Columns that lie far from 0 are therefore centred
first, and the few pairs that are still near are computed again from their differences. The cosine
distance is half the squared distance of the rows at unit length, so it keeps its digits near 0.

All functions are pure and may run on several threads at once. A product of `distances` runs on the
thread that calls it within `blas.one_thread()`; `nearest` sees to that itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from mlpond.udfs.blas import one_thread
from mlpond.udfs.design import Array, IntArray
from mlpond.udfs.nearest import QUERIES, QUERIES_AT_ONCE, Search

METRICS = ("euclidean", "squared_euclidean", "cosine", "manhattan")

# A pair with d² below this share of |x|² + |y|² is computed again. Above it the rounding of the
# product, some 2**-52 of |x|² + |y|², is below 1e-10 of d².
NEAR = 1e-5
FAR = 4.0  # standard deviations between a mean and 0 from which a column is centred
MOST_SIFTED = 500  # neighbours up to which a query keeps its candidates apart
CELLS = 2**18  # distances that are worked on at once: 2 MB


@dataclass(frozen=True)
class Neighbours:
    """The nearest rows of each query, nearest first; of two at the same distance the first in Y.

    Attributes:
        index: Rows of Y, shape (n, k).
        distance: Their distances, shape (n, k), not decreasing along a row.
    """

    index: IntArray
    distance: Array


class Points:
    """Rows to which distances are measured, prepared once: centred, or scaled to unit length.

    Use it where the same rows are measured against many times (a kernel cache, centroids,
    neighbours); `distances`, `squared_distances` and `nearest` below are for once.

    Args:
        Y: The rows, shape (m, p), finite.
        metric: One of METRICS.
        overwrite: Whether the rows may be prepared where they are, so that there are no two of
            them; Y belongs to the object then.

    Raises:
        ValueError: Y is no matrix, or the metric is none of METRICS.
    """

    def __init__(self, Y: Array, metric: str = "euclidean", *, overwrite: bool = False) -> None:
        _check_matrix("Points", "Y", Y)
        if metric not in METRICS:
            raise ValueError(f"Points: metric is {metric!r}; pass one of {', '.join(METRICS)}.")
        self.metric = metric
        self.rows, self.columns = Y.shape
        shift = _shift(Y) if metric in ("euclidean", "squared_euclidean") else np.zeros(0)
        self._shift = shift if shift.any() else None  # then Y is not copied
        self._Y = self._all_prepared(Y, overwrite)  # (m, p), C order
        self._norms = _squares(self._Y)  # (m,)
        self._size = float(np.sqrt(np.max(self._norms, initial=0.0)))

    @property
    def nbytes(self) -> int:
        """Memory of the rows."""
        return int(self._Y.nbytes + self._norms.nbytes)

    def distances(self, X: Array) -> Array:
        """All distances, for X and Y whose n · m distances fit into memory.

        Args:
            X: Rows, shape (n, p), finite.

        Returns:
            d, shape (n, m); exactly 0 for equal rows.

        Raises:
            ValueError: X has another number of columns than Y.
        """
        _check_columns("distances", X, self.columns)
        out = np.empty((len(X), self.rows))
        for rows in pieces(len(X), max(1, CELLS // max(self.rows, 1))):
            for columns in pieces(self.rows, CELLS):
                out[rows, columns] = self._piece(self._prepared(X[rows]), columns)
        if self.metric == "euclidean":
            np.sqrt(out, out=out)
        return out

    def nearest(
        self, X: Array, k: int, exclude: IntArray | None = None, threads: int = 1
    ) -> Neighbours:
        """The k nearest rows of Y for each row of X, exactly.

        Memory is bounded by the result and a few MB a thread, whatever n and m.

        Args:
            X: Queries, shape (n, p), finite.
            k: How many, from 1 up to the rows of Y (less one with exclude).
            exclude: For each query a row of Y that must not be its neighbour (itself), shape (n,);
                -1 for none.
            threads: How many pieces of X to work on at once. The result does not depend on it.

        Raises:
            ValueError: k is not within these bounds, or X has another number of columns than Y.
        """
        _check_columns("nearest", X, self.columns)
        most = self.rows - (exclude is not None)
        if not 1 <= k <= most:
            raise ValueError(f"nearest: k is {k}, but there are {most} rows; pass 1 to {most}.")
        found = Neighbours(np.empty((len(X), k), dtype=np.int64), np.empty((len(X), k)))
        sifts = self.metric != "manhattan" and k <= MOST_SIFTED

        def answer(rows: slice) -> None:
            excluded = None if exclude is None else exclude[rows]
            part = (self._sifted if sifts else self.measured)(X[rows], k, excluded)
            found.index[rows], found.distance[rows] = part

        in_parallel(answer, query_pieces(len(X), threads), threads)
        return found

    def _sifted(self, X: Array, k: int, exclude: IntArray | None) -> tuple[IntArray, Array]:
        """The nearest rows, from those that single precision leaves."""
        search = self.search(X, k, exclude)
        search.offer(0, self.rows)
        index, squared, left = search.settle()
        distance = self.from_squared(squared)
        if left.size:
            excluded = None if exclude is None else exclude[left]
            index[left], distance[left] = self.measured(X[left], k, excluded)
        return index, distance

    def search(self, X: Array, k: int, exclude: IntArray | None = None) -> Search:
        """A search that is offered the rows of Y by the caller, for metrics with a product.

        It settles for squared distances, which from_squared turns into those of the metric.
        """
        return Search(
            self._prepared(X), self._Y, self._norms, self._size, k, exclude,
            unit=self.metric == "cosine",
        )  # fmt: skip

    def from_squared(self, squared: Array) -> Array:
        """The metric's distances of the squared distances that a search has found."""
        if self.metric == "cosine":
            return np.where(squared == np.inf, np.inf, squared / 2.0)
        return np.sqrt(squared) if self.metric == "euclidean" else squared

    def measured(self, X: Array, k: int, exclude: IntArray | None = None) -> tuple[IntArray, Array]:
        """The k nearest rows, from all distances; see nearest."""
        index, distance = np.empty((len(X), k), dtype=np.int64), np.empty((len(X), k))
        for rows in pieces(len(X), max(1, CELLS // self.rows)):
            d = self.distances(X[rows])
            if exclude is not None:
                (known,) = np.nonzero(exclude[rows] >= 0)
                d[known, exclude[rows][known]] = np.inf
            index[rows], distance[rows] = smallest(d, k)
        return index, distance

    def _all_prepared(self, Y: Array, overwrite: bool) -> Array:
        """All rows centred or scaled, a piece at a time: a copy of them is the most there is."""
        if self.metric != "cosine" and self._shift is None:
            return np.ascontiguousarray(Y, dtype=np.float64)
        in_place = overwrite and Y.flags.carray and Y.dtype == np.float64
        out = Y if in_place else np.empty(Y.shape)
        for rows in pieces(len(Y), max(1, CELLS // max(self.columns, 1))):
            out[rows] = self._prepared(Y[rows])
        return out

    def _prepared(self, X: Array) -> Array:
        """Rows centred or scaled as those of Y are."""
        if self.metric == "cosine":
            return unit_rows(X)
        if self._shift is not None:
            X = X - self._shift
        return np.ascontiguousarray(X, dtype=np.float64)

    def _piece(self, X: Array, columns: slice) -> Array:
        """Distances of prepared rows to some rows of Y; euclidean ones squared."""
        Y = self._Y[columns]
        if self.metric == "manhattan":
            from mlpond.udfs.distance_loops import manhattan

            d = np.empty((len(X), len(Y)))
            manhattan(X, np.ascontiguousarray(Y.T), d)
            return d
        d = _products(X, Y, _squares(X), self._norms[columns])
        if self.metric == "cosine":
            d *= 0.5
            zero = _squares(X) == 0.0
            d[zero, :] = 1.0
            d[:, self._norms[columns] == 0.0] = 1.0
        return d


def distances(X: Array, Y: Array, metric: str = "euclidean") -> Array:
    """All distances between the rows of X (n, p) and Y (m, p), shape (n, m)."""
    return Points(Y, metric).distances(X)


def squared_distances(X: Array, Y: Array) -> Array:
    """All squared Euclidean distances between the rows of X (n, p) and Y (m, p), shape (n, m)."""
    return Points(Y, "squared_euclidean").distances(X)


def nearest(X: Array, Y: Array, k: int, metric: str = "euclidean") -> Neighbours:
    """The k nearest rows of Y (m, p) for each row of X (n, p), exactly."""
    return Points(Y, metric).nearest(X, k)


def smallest(d: Array, k: int) -> tuple[IntArray, Array]:
    """The k smallest entries of every row: their columns and themselves, both (n, k), in order.

    Of equal entries the one in the first column comes first, also at the edge of the k.
    """
    if k < d.shape[1]:
        edge = np.partition(d, k - 1, axis=1)[:, k - 1, None]  # (n, 1)
        # entries below the edge, then those at it from the left until there are k
        below, at = d < edge, d == edge
        room = k - below.sum(axis=1, keepdims=True)
        chosen = below | (at & (np.cumsum(at, axis=1) <= room))
        index = np.nonzero(chosen)[1].reshape(len(d), k)
    else:
        index = np.broadcast_to(np.arange(d.shape[1]), d.shape)
    values = np.take_along_axis(d, index, axis=1)  # (n, k)
    order = np.argsort(values, axis=1, kind="stable")
    return np.take_along_axis(index, order, axis=1), np.take_along_axis(values, order, axis=1)


def unit_rows(X: Array) -> Array:
    """The rows at unit length, shape (n, p); a row of zeros stays one."""
    size = np.max(np.abs(X), axis=1, keepdims=True, initial=0.0)  # no overflow in the squares
    scaled = X / np.where(size > 0.0, size, 1.0)
    norm = np.sqrt(_squares(scaled))[:, None]
    return np.ascontiguousarray(scaled / np.where(norm > 0.0, norm, 1.0))


def _products(X: Array, Y: Array, x_squares: Array, y_squares: Array) -> Array:
    """Squared distances (n, m), near pairs from their differences."""
    scale = x_squares[:, None] + y_squares  # (n, m)
    d = X @ Y.T
    d *= -2.0
    d += scale
    scale *= NEAR
    i, j = np.nonzero(d < scale)
    step = max(1, CELLS // max(X.shape[1], 1))
    for pairs in pieces(i.size, step):
        difference = X[i[pairs]] - Y[j[pairs]]
        d[i[pairs], j[pairs]] = _squares(difference)
    return d


def _squares(X: Array) -> Array:
    """Sum of squares of every row, shape (n,)."""
    return np.asarray(np.einsum("ij,ij->i", X, X))


def _shift(Y: Array) -> Array:
    """What to take from every row, shape (p,): the mean of columns that lie far from 0.

    Far is four standard deviations. Between half and twice the mean, x - mean is exact (Sterbenz),
    so that rows at the same distance stay so; other columns are best left as they are.
    """
    if not len(Y):
        return np.zeros(Y.shape[1])
    mean = np.mean(Y, axis=0)
    squares = np.zeros(Y.shape[1])
    for rows in pieces(len(Y), max(1, CELLS // max(Y.shape[1], 1))):  # np.std makes a copy of Y
        squares += np.sum((Y[rows] - mean) ** 2, axis=0)
    return np.where(np.abs(mean) > FAR * np.sqrt(squares / len(Y)), mean, 0.0)


def in_parallel(work: Callable[[slice], None], pieces: Sequence[slice], threads: int) -> None:
    """Do the work on every piece, several at a time, each on one thread."""
    with one_thread():
        if threads <= 1 or len(pieces) <= 1:
            for piece in pieces:
                work(piece)
            return
        pool = ThreadPoolExecutor(threads, thread_name_prefix="mlpond-nearest")
        try:
            for done in [pool.submit(work, piece) for piece in pieces]:
                done.result()
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


def query_pieces(n: int, threads: int) -> list[slice]:
    """Cut n queries into slices: large ones, for they share work, but one for each thread."""
    return list(pieces(n, max(QUERIES_AT_ONCE, min(QUERIES, -(-n // max(threads, 1))))))


def pieces(n: int, size: int) -> Iterator[slice]:
    """Cut n rows into slices of at most this size."""
    for first in range(0, n, size):
        yield slice(first, min(first + size, n))


def _check_matrix(who: str, name: str, X: Array) -> None:
    if X.ndim != 2:
        raise ValueError(f"{who}: {name} has shape {X.shape}; pass a matrix, one row a point.")


def _check_columns(who: str, X: Array, columns: int) -> None:
    _check_matrix(who, "X", X)
    if X.shape[1] != columns:
        raise ValueError(
            f"{who}: X has {X.shape[1]} columns, but Y has {columns}; pass the same columns."
        )

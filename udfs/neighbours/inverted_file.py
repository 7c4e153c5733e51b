"""An inverted file: points in cells around centers, of which a query looks into the nearest only.

Throughout: m points of p columns in L cells; a query looks into P of them.

A query measures L centers and about m P / L points instead of m. What it misses are neighbours that
lie across the border of a cell it did not look into.

Source: Jégou, Douze & Schmid (2011), Product quantization for nearest neighbor search, IEEE Trans.
Pattern Anal. Mach. Intell. 33, section IV (the index; nothing is quantised here).
"""

from __future__ import annotations

import numpy as np

from mlpond.udfs.clustering.kmeans_fit import Options
from mlpond.udfs.clustering.kmeans_start import different_rows, lloyd
from mlpond.udfs.clustering.space import Centers, DenseTile, Space, unit
from mlpond.udfs.design import Array, IntArray, Layout, rows_at_once
from mlpond.udfs.distance import Neighbours, Points, in_parallel, pieces, query_pieces

METRICS = ("euclidean", "cosine")
SAMPLE_PER_CELL = 50  # points from which a center is learnt
STEPS = 8  # of Lloyd's: cells need not be optimal


def cell_centers(Y: Array, num_lists: int, metric: str, seed: int) -> Array:
    """Centers of the cells, learnt from a sample, shape (≤ num_lists, p).

    Args:
        Y: Points, shape (m, p).
        num_lists: How many cells.
        metric: One of METRICS.
        seed: Of the sample.

    Raises:
        ValueError: the metric has no cells, or there is no point.
    """
    if metric not in METRICS:
        raise ValueError(
            f"cell_centers: metric is {metric!r}; cells are made for {' and '.join(METRICS)}."
        )
    if not 1 <= num_lists <= len(Y):
        raise ValueError(
            f"cell_centers: num_lists is {num_lists}, but there are {len(Y)} points; "
            f"pass 1 to {len(Y)}."
        )
    rng = np.random.default_rng(seed)
    most = SAMPLE_PER_CELL * num_lists
    if len(Y) > most:
        Y = Y[np.sort(rng.choice(len(Y), most, replace=False))]
    cosine = metric == "cosine"
    space = Space(Layout(Y.shape[1]), Y.mean(axis=0), np.ones(Y.shape[1]), cosine)
    Z = unit(Y) if cosine else Y - space.shift
    tiles = [
        DenseTile(np.ascontiguousarray(Z[rows].T), np.ones(len(Z[rows])) if cosine else None)
        for rows in pieces(len(Z), rows_at_once(Y.shape[1] + num_lists))
    ]
    C = different_rows(tiles, num_lists, rng)
    options = Options(len(C), distance_type=metric.upper())
    C = lloyd(tiles, space, options, C, is_all=False, most=STEPS)[1]
    return C if cosine else C + space.shift


def cells(Y: Array, centers: Array, metric: str) -> IntArray:
    """The cell of every point, shape (m,)."""
    cosine = metric == "cosine"
    shift = np.zeros(Y.shape[1]) if cosine else centers.mean(axis=0)
    around = Centers(centers - shift)
    label = np.empty(len(Y), dtype=np.int64)
    sums, counts = np.zeros(centers.T.shape), np.zeros(len(centers), dtype=np.int64)
    for rows in pieces(len(Y), rows_at_once(Y.shape[1] + len(centers))):
        Z = unit(Y[rows]) if cosine else Y[rows] - shift
        tile = DenseTile(np.ascontiguousarray(Z.T), None)
        label[rows] = tile.assign(around, sums, counts)[0]
    return label


def by_cell(label: IntArray) -> IntArray:
    """The points in the order of their cells, those of a cell in their own, shape (m,)."""
    return np.argsort(label, kind="stable")


class InvertedFile:
    """Points sorted by cell, ready to be searched.

    Args:
        Y: Points, shape (m, p), finite.
        centers: Of the cells, shape (L, p).
        label: The cell of every point, shape (m,).
        metric: One of METRICS.
        is_sorted: Whether the points stand in the order by_cell(label) already, and Y may be
            overwritten; otherwise they are copied into it.
    """

    def __init__(
        self, Y: Array, centers: Array, label: IntArray, metric: str, *, is_sorted: bool = False
    ) -> None:
        self._order = by_cell(label)  # (m,)
        self._ends = np.cumsum(np.bincount(label, minlength=len(centers)))  # (L,)
        self._points = Points(Y if is_sorted else Y[self._order], metric, overwrite=True)
        self._centers = Points(centers, metric)
        self.metric = metric

    @property
    def nbytes(self) -> int:
        """Memory of the points and their order."""
        return int(self._points.nbytes + self._order.nbytes)

    def nearest(self, X: Array, k: int, probes: int, threads: int = 1) -> Neighbours:
        """The k nearest among the points of the nearest cells of each query.

        A query whose cells hold fewer than k points is answered from all points.

        Args:
            X: Queries, shape (n, p), finite.
            k: How many, from 1 up to the number of points.
            probes: How many cells to look into; all of them give the exact answer.
            threads: How many pieces of X to work on at once.

        Raises:
            ValueError: k or probes is out of its bounds.
        """
        if not 1 <= k <= self._points.rows:
            raise ValueError(f"nearest: k is {k}; pass 1 to {self._points.rows}.")
        if not 1 <= probes <= self._centers.rows:
            raise ValueError(f"nearest: probes is {probes}; pass 1 to {self._centers.rows}.")
        found = Neighbours(np.empty((len(X), k), dtype=np.int64), np.empty((len(X), k)))

        def answer(rows: slice) -> None:
            found.index[rows], found.distance[rows] = self._answer(X[rows], k, probes)

        in_parallel(answer, query_pieces(len(X), threads), threads)
        return found

    def _answer(self, X: Array, k: int, probes: int) -> tuple[IntArray, Array]:
        near = self._centers.nearest(X, probes).index  # (n, P)
        search = self._points.search(X, k)
        cell, query = near.ravel(), np.repeat(np.arange(len(X)), probes)
        order = np.argsort(cell, kind="stable")
        ends = np.cumsum(np.bincount(cell, minlength=self._centers.rows))
        for c in np.unique(cell):
            rows = query[order[ends[c - 1] if c else 0 : ends[c]]]
            search.offer(int(self._ends[c - 1]) if c else 0, int(self._ends[c]), rows)
        index, squared, left = search.settle()
        distance = self._points.from_squared(squared)
        if left.size:
            index[left], distance[left] = self._points.measured(X[left], k)
        return self._ordered(self._order[index], distance)

    def _ordered(self, index: IntArray, distance: Array) -> tuple[IntArray, Array]:
        """Put points at the same distance in their own order, not in that of the cells."""
        order = np.lexsort((index, distance), axis=1)
        return (
            np.take_along_axis(index, order, axis=1),
            np.take_along_axis(distance, order, axis=1),
        )

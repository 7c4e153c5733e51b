"""One step of Lloyd's algorithm: every row to its nearest center, every center to its rows' mean.

Throughout: K centers c_k of p columns, n_k rows of a cluster, S_k the sum of z - c_k over them.

    c_k ← c_k + S_k / n_k                          Euclidean
    c_k ← (n_k c_k + S_k) / |n_k c_k + S_k|        cosine, all rows at unit length

Sums of differences rather than of rows keep the digits of a center whose rows lie close together.
Both steps lower the sum of squared distances, by n_k |S_k / n_k|² in a Euclidean cluster.
Sources: Lloyd (1982), IEEE Trans. Inf. Theory 28; Dhillon & Modha (2001), Machine Learning 42
(cosine).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mlpond.udfs.clustering.space import Centers, Space, Tile
from mlpond.udfs.design import Array, IntArray

FAR = 100  # rows kept to stand in for empty clusters; there are never more clusters in SQL
# Rows nearer than this to their center, as a share of their length, are the center but for rounding
SAME = 1e-12


@dataclass
class State:
    """What one scan leaves.

    Attributes:
        sums: Sum of the differences of the rows to their center, shape (p, K).
        counts: Rows of each center, shape (K,).
        squared: Sum of their squared distances, shape (K,).
        lengths: Sum of their lengths before they were brought to 1, shape (K,); cosine only.
        farthest: The greatest squared distance as a share of the row's squared size.
        far: Rows far from their center, farthest first, shape (≤ FAR, p); if they are looked for.
        far_squared: Their squared distances.
    """

    sums: Array
    counts: IntArray
    squared: Array
    lengths: Array
    farthest: float
    far: Array
    far_squared: Array


def start(points: int, columns: int) -> State:
    """The state of no rows."""
    return State(
        np.zeros((columns, points)), np.zeros(points, dtype=np.int64), np.zeros(points),
        np.zeros(points), 0.0, np.empty((0, columns)), np.empty(0),
    )  # fmt: skip


def add(state: State, tile: Tile, centers: Centers, *, seeks: bool) -> IntArray:
    """Add the rows of a tile to the state.

    Args:
        state: Changed in place.
        tile: The rows.
        centers: The centers.
        seeks: Whether to keep the rows that are far from their center.

    Returns:
        The center of every row, shape (m,).
    """
    label, squared = tile.assign(centers, state.sums, state.counts)
    points = state.counts.size
    state.squared += np.bincount(label, squared, points)
    if tile.norm is not None:
        state.lengths += np.bincount(label, tile.norm, points)
    state.farthest = max(state.farthest, float(np.max(squared, initial=0.0)))
    if seeks:
        k = min(FAR, squared.size)
        index = np.argpartition(squared, squared.size - k)[squared.size - k :]
        _keep_far(state, tile.rows(index), squared[index])
    return label


def merge(a: State, b: State) -> State:
    """Add two states."""
    merged = State(
        a.sums + b.sums, a.counts + b.counts, a.squared + b.squared, a.lengths + b.lengths,
        max(a.farthest, b.farthest), a.far, a.far_squared,
    )  # fmt: skip
    _keep_far(merged, b.far, b.far_squared)
    return merged


def _keep_far(state: State, rows: Array, squared: Array) -> None:
    if not len(rows):
        return
    rows = np.concatenate([state.far, rows])
    squared = np.concatenate([state.far_squared, squared])
    order = np.argsort(-squared, kind="stable")[:FAR]
    state.far, state.far_squared = rows[order], squared[order]


def moved(C: Array, state: State, space: Space) -> tuple[Array, Array]:
    """The centers that the rows call for.

    Args:
        C: The centers that the state was made with, shape (K, p).
        state: All rows.
        space: Tells the distance.

    Returns:
        The new centers, shape (K, p); an empty cluster's stays. And the squared distances of the
        rows of each to them, shape (K,).
    """
    n = np.maximum(state.counts, 1)[:, None]
    step = state.sums.T / n  # (K, p)
    if not space.cosine:
        gain = state.counts * np.einsum("kj,kj->k", step, step)
        return C + step, np.maximum(state.squared - gain, 0.0)
    total = C + step  # the sum of the rows over n_k
    length = np.sqrt(np.einsum("kj,kj->k", total, total))
    is_known = length > SAME  # rows that cancel have no direction
    C = np.where(is_known[:, None], total / np.where(is_known, length, 1.0)[:, None], C)
    # sum of |z - c|² = 2 n (1 - |sum of z| / n), which cancels for rows close together
    gain = state.counts * (np.einsum("kj,kj->k", step, step) - (1.0 - length) ** 2)
    return C, np.maximum(state.squared - gain, 0.0)


def is_exhausted(state: State, C: Array) -> bool:
    """Whether every row lies on a center, so that no row is left for another cluster."""
    size = float(np.max(np.einsum("kj,kj->k", C, C), initial=0.0))
    return state.farthest <= SAME**2 * max(size, SAME)


def refilled(C: Array, state: State) -> Array:
    """Put the centers of empty clusters on the rows that are farthest from theirs.

    Rows that are equal stand in once. A center for which no row is left stays where it is.
    """
    C = C.copy()
    (empty,) = np.nonzero(state.counts == 0)
    taken: list[Array] = []
    for row, squared in zip(state.far, state.far_squared, strict=True):
        if len(taken) == empty.size or squared == 0.0:
            break
        if not any(np.array_equal(row, other) for other in taken):
            C[empty[len(taken)]] = row
            taken.append(row)
    return C

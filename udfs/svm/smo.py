"""Sequential minimal optimisation: the dual of every support vector machine with a kernel.

Throughout: n rows, K (n, n) their kernel matrix, m variables b_t, each of which belongs to a row.

    minimise  1/2 b'Kb + c'b      sum_t b_t = 0,  lower_t <= b_t <= upper_t

A classifier has a variable a row, b = ±alpha with its box on the side of the row's class, c = -y.
A regression has two, b_t = alpha_t in [0, C] with c = epsilon - y and b_t = -alpha*_t in [-C, 0]
with c = -epsilon - y. With g = Kb + c, a pair (i, j) with b_i < upper_i, b_j > lower_j and
-g_i > -g_j can be improved: the step moves b_i up and b_j down by the same amount. No pair is left
to improve at the optimum, and the threshold lies between the two ends that met.

The pair: i has the largest -g, j promises the largest decrease of the quadratic. Variables at a
bound that want to go beyond it are set aside (shrinking) and looked at again before the end.
Rows of K are kept in a cache that forgets the one not used for longest.

Source: Fan, Chen & Lin (2005), JMLR 6, working set selection 2 (WSS 2); Chang & Lin (2011), LIBSVM,
section 4 and, for shrinking, 5.1.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from mlpond.udfs.design import Array, IntArray
from mlpond.udfs.svm.kernels import Kernel

CACHE_BYTES = 200 * 2**20
TOLERANCE = 1e-5  # how far the best pair may be from optimal, in units of the margin
MOST_STEPS = 10_000_000
TOGETHER = 32  # rows of K that are computed at once


@dataclass(frozen=True)
class Dual:
    """A dual problem.

    Attributes:
        linear: c, shape (m,).
        lower: Lower bounds, shape (m,).
        upper: Upper bounds, shape (m,).
        row: The row of X of each variable, shape (m,).
    """

    linear: Array
    lower: Array
    upper: Array
    row: IntArray


@dataclass(frozen=True)
class Optimum:
    """The solution of a dual.

    Attributes:
        b: Shape (m,).
        gradient: Kb + c, shape (m,).
        threshold: The intercept of the decision function.
        objective: 1/2 b'Kb + c'b.
        steps: Pairs that were improved.
        converged: Whether the tolerance was met.
    """

    b: Array
    gradient: Array
    threshold: float
    objective: float
    steps: int
    converged: bool


class Cache:
    """Rows of the kernel matrix; one serves all classes, for it holds K and no labels.

    Args:
        X: Rows, shape (n, p), standardised.
        kernel: Gives K.
        limit: Bytes that may be kept.
    """

    def __init__(self, X: Array, kernel: Kernel, limit: int = CACHE_BYTES) -> None:
        n = X.shape[0]
        self.X, self.kernel = X, kernel
        self.diagonal = kernel.diagonal(X)
        self._matrix = kernel.with_rows(X)
        slots = int(max(2 * TOGETHER, min(n, limit // (8 * n))))
        self.data = np.empty((slots, n), dtype=np.float64)
        self.slot_of = np.full(n, -1, dtype=np.int64)
        self._row_of = np.full(slots, -1, dtype=np.int64)
        # a ring of slots, the one not used for longest behind the head, which is entry `slots`
        ring = np.arange(slots + 1, dtype=np.int64)
        self.before, self.after = np.roll(ring, 1), np.roll(ring, -1)

    def load(self, rows: IntArray) -> None:
        """Compute rows that are missing, in place of those not used for longest."""
        from mlpond.udfs.svm.smo_loops import touch

        K = self._matrix(self.X[rows])
        head = self.before.size - 1
        for row, values in zip(rows, K, strict=True):
            slot = self.after[head]
            if self._row_of[slot] >= 0:
                self.slot_of[self._row_of[slot]] = -1
            self.data[slot] = values
            self.slot_of[row], self._row_of[slot] = slot, row
            touch(slot, self.before, self.after)


def smo(
    cache: Cache,
    dual: Dual,
    tolerance: float = TOLERANCE,
    progress: Callable[[], None] | None = None,
) -> Optimum:
    """Solve a dual.

    Args:
        cache: The rows and their kernel.
        dual: The problem; 0 must lie within its bounds.
        tolerance: See TOLERANCE.
        progress: Called now and then; may raise to interrupt.
    """
    from mlpond.udfs.svm.smo_loops import improve  # numba takes a second to import

    m = dual.linear.size
    b, gradient = np.zeros(m), dual.linear.astype(np.float64).copy()
    row = dual.row.astype(np.int64)
    everything = np.arange(m, dtype=np.int64)
    active, until_shrinking = everything, min(m, 1000)
    steps, left = 0, MOST_STEPS
    aside = False  # whether gradients of variables set aside are out of date
    while True:
        # so many steps that an interrupt is seen within a second
        some = min(left, max(1000, 200_000_000 // max(m, 1)))
        done, active, until_shrinking, met, missing = improve(
            cache.data, cache.slot_of, cache.before, cache.after, cache.diagonal, row, b, gradient,
            dual.lower, dual.upper, active, tolerance, some, until_shrinking,
        )  # fmt: skip
        steps, left = steps + done, left - done
        aside = aside or active.size < m
        if missing >= 0:
            cache.load(_wanted(cache, missing, row, b, gradient, dual, active))
            continue
        if progress is not None:
            progress()
        if not met and left > 0:
            continue
        if aside:
            gradient = dual.linear + _combined(cache, row, b)[row]
            active, aside = everything, False
            up, low = _ends(b, gradient, dual)
            if up - low > tolerance and left > 0:
                continue
        break
    up, low = _ends(b, gradient, dual)
    objective = 0.5 * float(b @ (gradient + dual.linear))
    return Optimum(
        b, gradient, _threshold(b, gradient, dual, up, low), objective, steps, up - low <= tolerance
    )


def _wanted(
    cache: Cache,
    missing: int,
    row: IntArray,
    b: Array,
    gradient: Array,
    dual: Dual,
    active: IntArray,
) -> IntArray:
    """The missing row, and others that are likely to be next: those furthest from optimal."""
    g = gradient[active]
    pull = np.where(b[active] < dual.upper[active], -g, -np.inf)
    push = np.where(b[active] > dual.lower[active], g, -np.inf)
    half = min(TOGETHER // 2, active.size)
    best = [np.argpartition(-ends, half - 1)[:half] for ends in (pull, push)]
    others = np.unique(row[active[np.concatenate(best)]])
    others = others[(cache.slot_of[others] < 0) & (others != missing)]
    return np.concatenate([[missing], others[: TOGETHER - 1]])


def _combined(cache: Cache, row: IntArray, b: Array) -> Array:
    """K b for every row, shape (n,), a block of rows at a time."""
    weight = np.bincount(row, b, len(cache.X)).astype(np.float64)
    (used,) = np.nonzero(weight)
    return cache.kernel.combine(cache.X, cache.X[used], weight[used])


def _ends(b: Array, gradient: Array, dual: Dual) -> tuple[float, float]:
    """The largest -g of what may rise, and the smallest -g of what may fall."""
    rises, falls = b < dual.upper, b > dual.lower
    up = float(np.max(-gradient[rises], initial=-np.inf))
    low = float(np.min(-gradient[falls], initial=np.inf))
    return up, low


def _threshold(b: Array, gradient: Array, dual: Dual, up: float, low: float) -> float:
    """Where the free variables have their -g; between the two ends if none is free."""
    free = (b > dual.lower) & (b < dual.upper)
    if np.any(free):
        return float(-np.mean(gradient[free]))
    finite = [end for end in (up, low) if np.isfinite(end)]
    return float(np.mean(finite)) if finite else 0.0

"""The compiled loops under distance.py: what numpy would do in many scans of small arrays.

Throughout: p columns, m rows of one piece, K points; arrays that end in t are transposed, so that
the inner loops run over the rows and the processor works on several at once.
"""

from __future__ import annotations

from typing import Any

import numba
import numpy as np

Array = Any  # float64, of the shapes the docstrings say

_compiled = numba.njit(cache=True, nogil=True, boundscheck=False)


@_compiled
def nearest_point(product: Array, half: Array, label: Array) -> None:
    """Find the nearest of K points for every row: that with the greatest c·z - |c|²/2.

    Args:
        product: c_k·z_i, shape (K, m).
        half: |c_k|² / 2, shape (K,).
        label: Receives the point of every row, shape (m,); of equal ones the first.
    """
    points, rows = product.shape
    best = np.empty(rows)
    for i in range(rows):
        best[i] = product[0, i] - half[0]
        label[i] = 0
    for k in range(1, points):
        h = half[k]
        for i in range(rows):
            value = product[k, i] - h
            is_better = value > best[i]
            best[i] = value if is_better else best[i]
            label[i] = k if is_better else label[i]


@_compiled
def add_differences(
    Zt: Array, Ct: Array, label: Array, squared: Array, sums: Array, counts: Array
) -> None:
    """Measure every row to its point, and add the differences up by point.

    Args:
        Zt: Rows, shape (p, m).
        Ct: Points, shape (p, K).
        label: Point of every row, shape (m,).
        squared: Receives |z_i - c|², shape (m,).
        sums: The sums of z_i - c are added, shape (p, K).
        counts: The number of rows is added, shape (K,).
    """
    columns, rows = Zt.shape
    for i in range(rows):
        counts[label[i]] += 1
        squared[i] = 0.0
    for j in range(columns):
        for i in range(rows):
            k = label[i]
            e = Zt[j, i] - Ct[j, k]
            sums[j, k] += e
            squared[i] += e * e


@_compiled
def offer(
    product: Array,
    half: Array,
    first: int,
    rows: Array,
    excluded: Array,
    k: int,
    slack: Array,
    limit: Array,
    count: Array,
    index: Array,
    value: Array,
) -> None:
    """Offer some points to queries that look for their nearest k.

    A query keeps every point whose value is within the slack of the k-th least it has seen. When
    its room is full, what is no longer within is dropped; if that makes no room, the query gives
    up, which count -1 tells.

    Args:
        product: x_i·y_j of b queries and m points, shape (b, m).
        half: |y_j|² / 2, shape (m,); the value of a point is half - product.
        first: Number of the first of the points.
        rows: Where each query stands in the arrays below, shape (b,).
        excluded: For each query a point that is not for it, or -1.
        k: How many are looked for.
        slack: How far from the k-th least a value may be.
        limit: The greatest value that is still kept.
        count: How many points are kept.
        index: Their numbers, shape (…, room).
        value: Their values, shape (…, room).
    """
    points = half.size
    room = value.shape[1]
    for i in range(rows.size):
        q = rows[i]
        if count[q] < 0:
            continue
        t = limit[q]
        for piece in range((points + 63) // 64):
            start = 64 * piece  # so that the compiler knows it is not negative
            if start + 64 <= points:
                # a loop of fixed length in narrow numbers: several comparisons at once, 30 times
                # faster than one by one
                hits = np.int32(0)
                for c in range(64):
                    hits += np.int32(half[start + c] - product[i, start + c] <= t)
                if hits == 0:
                    continue
            for j in range(start, min(start + 64, points)):
                v = half[j] - product[i, j]
                if v > t or first + j == excluded[q]:
                    continue
                if count[q] == room:
                    t = _tightened(value[q], k, slack[q])
                    count[q] = _kept(index[q], value[q], room, t)
                    if count[q] == room:
                        count[q] = -1
                        break
                    if v > t:
                        continue
                index[q, count[q]] = first + j
                value[q, count[q]] = v
                count[q] += 1
            if count[q] < 0:
                break
        limit[q] = t


@_compiled
def _tightened(value: Array, k: int, slack: Any) -> Any:
    """The greatest value worth keeping: the k-th least, and the slack; in single precision."""
    return np.float32(np.partition(value, k - 1)[k - 1] + slack)


@_compiled
def _kept(index: Array, value: Array, count: int, limit: float) -> int:
    """Move what is within the limit to the front; return how many that are."""
    kept = 0
    for c in range(count):
        if value[c] <= limit:
            index[kept] = index[c]
            value[kept] = value[c]
            kept += 1
    return kept


@_compiled
def settle(
    X: Array, Y: Array, k: int, unit: bool, count: Array, index: Array, out: Array, far: Array
) -> None:
    """Measure what the queries have kept exactly, and sort it.

    Args:
        X: Queries, shape (b, p).
        Y: All points, shape (m, p).
        k: How many are looked for.
        unit: Whether rows have unit length, but for rows of zeros, which are 2 from every other.
        count: How many points each query has kept, at least k; -1 to leave it out.
        index: Their numbers, shape (b, room).
        out: Receives the numbers of the nearest, shape (b, k).
        far: Receives their squared distances, shape (b, k), not decreasing along a row.
    """
    columns = X.shape[1]
    for q in range(len(X)):
        n = count[q]
        if n < 0:
            continue
        squared = np.empty(n)
        for c in range(n):
            total = x_size = y_size = 0.0
            for j in range(columns):
                x, y = X[q, j], Y[index[q, c], j]
                total += (x - y) * (x - y)
                x_size += abs(x)
                y_size += abs(y)
            squared[c] = 2.0 if unit and (x_size == 0.0 or y_size == 0.0) else total
        for place in range(k):  # few are wanted of few: the least, then the next
            best = -1
            for c in range(n):
                if squared[c] == np.inf:
                    continue
                if (
                    best < 0
                    or squared[c] < squared[best]
                    or (squared[c] == squared[best] and index[q, c] < index[q, best])
                ):
                    best = c
            out[q, place] = index[q, best]
            far[q, place] = squared[best]
            squared[best] = np.inf


@_compiled
def manhattan(X: Array, Yt: Array, out: Array) -> None:
    """Sums of absolute differences between rows of X (n, p) and columns of Yt (p, m), (n, m)."""
    rows, columns = X.shape
    points = Yt.shape[1]
    for i in range(rows):
        for j in range(points):
            out[i, j] = 0.0
        for c in range(columns):
            x = X[i, c]
            for j in range(points):
                out[i, j] += abs(x - Yt[c, j])

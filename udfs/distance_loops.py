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

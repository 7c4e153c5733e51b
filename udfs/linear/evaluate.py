"""Loss, gradient and Hessian over one block.

Throughout: M = [X - shift, 1] of shape (n, p + 1); z = M theta' + offset; v the row weights.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from mlpond.udfs.design import Array, Block, Layout, rows_at_once
from mlpond.udfs.linear.gram import counts, cross_products
from mlpond.udfs.linear.losses import Loss, softmax, weighted_sum


def score_sums(
    block: Block, layout: Layout, shift: Array, theta: Array, loss: Loss
) -> tuple[float, Array, Array]:
    """For a loss l of one score: sum of v l; gradient M'(v l'), shape (1, p + 1); Hessian

    M' diag(v l'') M, with the expected l'' where the loss has that
    """
    w = theta[0]
    k = w.size
    if counts(layout):
        z = block.matvec(layout, w[:-1], shift) + w[-1]
        if block.offset is not None:
            z += block.offset
        losses, slope, curvature = loss.terms(z, block.y)
        total = _sum(losses, block.weight)
        if block.weight is not None:
            slope, curvature = slope * block.weight, curvature * block.weight
        gradient = np.r_[block.rmatvec(layout, slope, shift), slope.sum()]
        H = cross_products(block, layout, shift, True, None, curvature)
        order = np.r_[1:k, 0]  # there the ones come first
        return total, gradient[None, :], H[np.ix_(order, order)]
    total, gradient, hessian = 0.0, np.zeros(k), np.zeros((k, k))
    for rows, M in _pieces(block, layout, shift, rows_at_once(k)):
        z = M @ w
        if block.offset is not None:
            z += block.offset[rows]
        losses, slope, curvature = loss.terms(z, block.y[rows])
        weight = None if block.weight is None else block.weight[rows]
        total += _sum(losses, weight)
        if weight is not None:
            slope, curvature = slope * weight, curvature * weight
        gradient += slope @ M
        M *= np.sqrt(curvature)[:, None]
        hessian += M.T @ M
    return total, gradient[None, :], hessian


def _sum(losses: Array, weight: Array | None) -> float:
    return float(losses.sum()) if weight is None else weighted_sum(losses, weight)


def multinomial_sums(
    block: Block, layout: Layout, shift: Array, theta: Array
) -> tuple[float, Array, Array]:
    """Loss; gradient (K, p + 1); Hessian, whose block of classes k, l is

    M' diag(v (p_k [k = l] - p_k p_l)) M
    """
    K, k = theta.shape
    loss, gradient, hessian = 0.0, np.zeros((K, k)), np.zeros((K * k, K * k))
    for rows, M in _pieces(block, layout, shift, rows_at_once(K * k)):
        y = block.y[rows]
        n = y.size
        losses, p = softmax(M @ theta.T, y)  # (n,), (n, K)
        v = np.ones(n) if block.weight is None else block.weight[rows]
        loss += float(losses @ v)
        slope = p * v[:, None]
        slope[np.arange(n), y.astype(np.intp)] -= v
        gradient += slope.T @ M
        # all p_k M side by side: one product gives every - p_k p_l block
        wide = (M[:, None, :] * (p * np.sqrt(v)[:, None])[:, :, None]).reshape(n, K * k)
        hessian -= wide.T @ wide
        for c in range(K):
            own = M * np.sqrt(v * p[:, c])[:, None]
            hessian[c * k : (c + 1) * k, c * k : (c + 1) * k] += own.T @ own
    return loss, gradient, hessian


def _pieces(block: Block, layout: Layout, shift: Array, size: int) -> Iterator[tuple[slice, Array]]:
    """M, a cache-sized piece at a time; the array is used again for the next."""
    k = layout.width + 1
    buffer = np.empty(min(size, max(block.rows, 1)) * k)
    for start in range(0, block.rows, size):
        rows = slice(start, min(start + size, block.rows))
        n = rows.stop - rows.start
        M = buffer[: n * k].reshape((n, k), order="F")
        block.fill(layout, rows, shift, M[:, :-1])
        M[:, -1] = 1.0
        yield rows, M

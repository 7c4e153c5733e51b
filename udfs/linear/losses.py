"""Losses of linear scores, their slopes, and the bounds of their curvature.

Throughout: scores z (n, C), label y (n,), row weight v (n,); C = 1 except for softmax.
"""

from __future__ import annotations

import numpy as np

from mlpond.udfs.design import Array

# Upper bound of the second derivative in one score.
CURVATURE = {"squared": 1.0, "logistic": 0.25, "softmax": 0.25}
# What the sum of losses is multiplied with to be reported: squared error carries no 1/2 there.
REPORTED = {"squared": 2.0, "logistic": 1.0, "softmax": 1.0}


def loss_and_slope(kind: str, z: Array, y: Array, weight: Array | None) -> tuple[float, Array]:
    """Sum of weighted losses, and its derivative in every score, shape (n, C)."""
    if kind == "squared":
        r = z[:, 0] - y
        losses, slope = 0.5 * r * r, r[:, None]
    elif kind == "logistic":
        losses, p, _ = logistic(z[:, 0], y)
        slope = (p - y)[:, None]
    else:
        losses, slope = softmax(z, y)
        slope[np.arange(y.size), y.astype(np.intp)] -= 1.0
    if weight is None:
        return float(np.sum(losses)), slope
    return float(losses @ weight), slope * weight[:, None]


def logistic(z: Array, y: Array) -> tuple[Array, Array, Array]:
    """Log loss, probability of class 1, and its variance p (1 - p), each of shape (n,).

        loss = max(z, 0) - y z + log(1 + e),  e = exp(-|z|);  p (1 - p) = e / (1 + e)²

    One exponential serves all three, and it cannot overflow.
    """
    e = np.exp(-np.abs(z))
    q = 1.0 / (1.0 + e)  # probability of the class that z speaks for
    variance = e * q
    variance *= q
    p = np.where(z >= 0, q, e * q)
    loss = np.maximum(z, 0.0)
    loss -= y * z
    loss += np.log1p(e)
    return loss, p, variance


def softmax(z: Array, y: Array) -> tuple[Array, Array]:
    """Cross-entropy (n,) and class probabilities (n, K) of scores (n, K)."""
    top = z.max(axis=1, keepdims=True)
    p = np.exp(z - top)
    total = p.sum(axis=1, keepdims=True)
    own = z[np.arange(y.size), y.astype(np.intp)]
    loss = np.log(total[:, 0]) + (top[:, 0] - own)
    p /= total
    return loss, p

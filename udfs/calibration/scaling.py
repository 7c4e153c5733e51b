"""Platt's scaling of two classes and temperature scaling of several.

Throughout: n rows, K classes, z logits (logarithms of probabilities up to a constant a row), y the
class. Both are convex in their parameters and solved by Newton's method with step halving.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from mlpond.udfs.design import Array, IntArray

STEPS = 100
TINY = 1e-15  # probabilities are kept so far from 0 and 1, as logits must be finite


def platt(z: Array, y: Array) -> tuple[float, float]:
    """Find slope and intercept of P(y = 1) = 1 / (1 + exp(-(slope · z + intercept))).

    The targets are (n₁ + 1) / (n₁ + 2) and 1 / (n₀ + 2) in place of 1 and 0, so that the fit is
    finite where the scores separate the classes.

    Args:
        z: Logits, shape (n,).
        y: 1 for the positive class, 0 for the other, shape (n,).

    Returns:
        Slope and intercept.

    Raises:
        ValueError: If there are no rows of one of the classes.

    Source: Platt (1999), Probabilistic outputs for support vector machines; Lin, Lin & Weng (2007),
        A note on Platt's probabilistic outputs, Machine Learning 68.
    """
    positives = float(y.sum())
    negatives = y.size - positives
    if positives == 0 or negatives == 0:
        raise ValueError("platt: all rows are of one class; pass rows of both.")
    target = np.where(y > 0, (positives + 1) / (positives + 2), 1 / (negatives + 2))  # (n,)

    def parts(w: Array) -> tuple[float, Array, Array]:
        score = w[0] * z + w[1]
        p = _sigmoid(score)
        loss = float(np.sum(np.logaddexp(0.0, score) - target * score))
        residual = p - target
        gradient = np.array([residual @ z, residual.sum()])
        curvature = p * (1 - p)
        hessian = np.array([[curvature @ (z * z), curvature @ z], [curvature @ z, curvature.sum()]])
        return loss, gradient, hessian

    start = np.array([0.0, math.log((positives + 1) / (negatives + 1))])
    slope, intercept = _newton(parts, start)
    return float(slope), float(intercept)


def temperature(z: Array, y: IntArray) -> float:
    """Find the T > 0 that minimises the log loss of softmax(z / T).

    The loss is convex in 1/T, over which it is minimised.

    Args:
        z: Logits, shape (n, K).
        y: Index of the class, shape (n,).

    Returns:
        T; greater than 1 if the probabilities were too sure of themselves.

    Source: Guo, Pleiss, Sun & Weinberger (2017), On calibration of modern neural networks, ICML.
    """
    own = z[np.arange(y.size), y]  # (n,)

    def parts(w: Array) -> tuple[float, Array, Array]:
        scaled = w[0] * z  # (n, K)
        top = scaled.max(axis=1, keepdims=True)
        e = np.exp(scaled - top)
        total = e.sum(axis=1)  # (n,)
        mean = (e * z).sum(axis=1) / total
        square = (e * z * z).sum(axis=1) / total
        loss = float(np.sum(np.log(total) + top[:, 0] - w[0] * own))
        return loss, np.array([np.sum(mean - own)]), np.array([[np.sum(square - mean * mean)]])

    inverse = float(_newton(parts, np.array([1.0]))[0])
    return 1.0 / max(inverse, 1e-3)


def logits(p: Array) -> Array:
    """Return ln(p / (1 - p)), finite for probabilities of 0 and 1."""
    p = np.clip(p, TINY, 1 - TINY)
    return np.log(p) - np.log1p(-p)


def _sigmoid(z: Array) -> Array:
    e = np.exp(-np.abs(z))
    return np.where(z >= 0, 1.0, e) / (1.0 + e)


def _newton(parts: Callable[[Array], tuple[float, Array, Array]], w: Array) -> Array:
    """Minimise a convex function by damped Newton steps."""
    loss, gradient, hessian = parts(w)
    for _ in range(STEPS):
        ridge = 1e-12 * max(float(np.trace(hessian)), 1e-300)
        step = np.linalg.solve(hessian + ridge * np.eye(w.size), gradient)
        size = 1.0
        while size > 1e-10:
            trial = w - size * step
            found = parts(trial)
            if found[0] <= loss:
                break
            size /= 2
        else:
            return w
        done = loss - found[0] <= 1e-15 * (1.0 + abs(loss)) and size == 1.0
        w, (loss, gradient, hessian) = trial, found
        if done:
            break
    return w

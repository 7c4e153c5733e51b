"""Losses of linear scores, their slopes, and their curvature.

Throughout: scores z (n, C), label y (n,), row weight v (n,); C = 1 except for softmax.

A loss of one score is all that the solvers know of a model: squared error, the log loss of a
logistic regression, and the deviance of a generalized linear model (likelihoods.py) are three
of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from mlpond.udfs.design import Array


class Loss(Protocol):
    """What is minimised over the scores."""

    @property
    def model_type(self) -> str:
        """The name that error messages use."""

    @property
    def curvature(self) -> float:
        """Upper bound of the second derivative in one score; its usual size if there is none."""

    @property
    def reported(self) -> float:
        """What the sum of losses is multiplied with to be reported."""

    @property
    def has_unit(self) -> bool:
        """Whether the losses scale with a variance that is not known."""

    @property
    def is_newton(self) -> bool:
        """Whether `terms` gives the second derivative itself, so that a step squares what is left.

        Where it is the expected one, a step takes off a constant share.
        """

    def terms(self, z: Array, y: Array) -> tuple[Array, Array, Array]:
        """Loss, its derivative in z and its (expected) second derivative, each of shape (n,)."""


@dataclass(frozen=True)
class Squared:
    """(z - y)² / 2; reported without the 1/2."""

    model_type: str = "linear_reg"
    curvature: float = 1.0
    reported: float = 2.0
    has_unit: bool = True
    is_newton: bool = True

    def terms(self, z: Array, y: Array) -> tuple[Array, Array, Array]:
        """Half the squared error, the error, and ones."""
        r = z - y
        return 0.5 * r * r, r, np.ones_like(r)


@dataclass(frozen=True)
class Logistic:
    """Log loss of the log odds of class 1."""

    model_type: str = "logistic_reg"
    curvature: float = 0.25
    reported: float = 1.0
    has_unit: bool = False
    is_newton: bool = True

    def terms(self, z: Array, y: Array) -> tuple[Array, Array, Array]:
        """Log loss, p - y, and p (1 - p)."""
        losses, p, variance = logistic(z, y)
        return losses, np.subtract(p, y, out=p), variance


@dataclass(frozen=True)
class Softmax:
    """Cross-entropy of several scores a row, which `softmax` computes."""

    model_type: str = "logistic_reg"
    curvature: float = 0.25
    reported: float = 1.0
    has_unit: bool = False
    is_newton: bool = True

    def terms(self, z: Array, y: Array) -> tuple[Array, Array, Array]:
        """Not of one score: there are as many as classes."""
        raise TypeError("Softmax: its scores have a column a class; call softmax(z, y).")


SQUARED, LOGISTIC, SOFTMAX = Squared(), Logistic(), Softmax()


def loss_and_slope(loss: Loss, z: Array, y: Array, weight: Array | None) -> tuple[float, Array]:
    """Sum of weighted losses, and its derivative in every score, shape (n, C)."""
    if isinstance(loss, Softmax):
        losses, slope = softmax(z, y)
        slope[np.arange(y.size), y.astype(np.intp)] -= 1.0
    else:
        losses, slopes, _ = loss.terms(z[:, 0], y)
        slope = slopes[:, None]
    if weight is None:
        return float(np.sum(losses)), slope
    return weighted_sum(losses, weight), slope * weight[:, None]


def weighted_sum(values: Array, weight: Array) -> float:
    """Sum of weight · value, where a weight of 0 takes out even an infinite value."""
    total = float(values @ weight)
    if np.isfinite(total):
        return total
    counted = weight > 0
    return float(values[counted] @ weight[counted])


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

"""Kernels: what takes the place of the inner product of two rows.

linear      k(x, y) = x·y
polynomial  k(x, y) = (gamma x·y + coef0)^degree
rbf         k(x, y) = exp(-gamma |x - y|²)
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from mlpond.udfs.design import Array
from mlpond.udfs.distance import Points

NAMES = ("LINEAR", "POLYNOMIAL", "RBF")
CELLS = 2**22  # kernel values that are worked on at once: 32 MB


@dataclass(frozen=True)
class Kernel:
    """One kernel with its parameters.

    Attributes:
        name: One of NAMES.
        gamma: Of POLYNOMIAL and RBF, above 0; in units of 1 / |x|².
        coef0: Of POLYNOMIAL.
        degree: Of POLYNOMIAL, 1 or more.
    """

    name: str
    gamma: float = 1.0
    coef0: float = 0.0
    degree: int = 3

    def __post_init__(self) -> None:
        if self.name not in NAMES:
            raise ValueError(f"svm: kernel is {self.name!r}; pass one of {', '.join(NAMES)}.")
        if not (math.isfinite(self.gamma) and self.gamma > 0):
            raise ValueError(f"svm: gamma is {self.gamma}; pass a finite number above 0.")
        if not math.isfinite(self.coef0):
            raise ValueError(f"svm: coef0 is {self.coef0}; pass a finite number.")
        if self.degree < 1:
            raise ValueError(f"svm: degree is {self.degree}; pass 1 or more.")

    def matrix(self, X: Array, Y: Array) -> Array:
        """The kernel of every row of X (n, p) with every row of Y (m, p), shape (n, m)."""
        return self.with_rows(Y)(X)

    def with_rows(self, Y: Array) -> Callable[[Array], Array]:
        """The same for any X, where Y is prepared once."""
        if self.name == "RBF":
            points = Points(Y, "squared_euclidean")

            def rbf(X: Array) -> Array:
                K = points.distances(X)
                K *= -self.gamma
                return np.exp(K, out=K)

            return rbf
        transposed = np.ascontiguousarray(Y.T)

        def of_products(X: Array) -> Array:
            K = np.asarray(X @ transposed)
            return K if self.name == "LINEAR" else (self.gamma * K + self.coef0) ** self.degree

        return of_products

    def diagonal(self, X: Array) -> Array:
        """The kernel of every row with itself, shape (n,)."""
        if self.name == "RBF":
            return np.ones(len(X))
        squares = np.einsum("ij,ij->i", X, X)
        if self.name == "LINEAR":
            return np.asarray(squares)
        return np.asarray((self.gamma * squares + self.coef0) ** self.degree)

    def combine(self, X: Array, Y: Array, weight: Array) -> Array:
        """Σ_j weight_j k(x_i, y_j) for every row of X, shape (n,) or (n, C) for weights (m, C)."""
        out = np.zeros((len(X), *weight.shape[1:]))
        if not len(Y):
            return out
        size = max(1, CELLS // len(Y))
        matrix = self.with_rows(Y)
        for start in range(0, len(X), size):
            out[start : start + size] = matrix(X[start : start + size]) @ weight
        return out


def default_gamma(X: Array) -> float:
    """One over the summed variance of the columns, 1 / (p var(X)), as scikit-learn's 'scale'."""
    variance = float(X.var()) * X.shape[1]
    return 1.0 / variance if variance > 0 else 1.0

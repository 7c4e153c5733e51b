"""Random Fourier features: columns whose inner products are nearly an RBF kernel.

    phi_j(x) = (2 / D)^(1/2) cos(omega_j·x + phase_j)
        omega_j ~ N(0, 2 gamma I), phase_j ~ U(0, 2 pi)
    phi(x)·phi(y) ≈ exp(-gamma |x - y|²), with an error of some D^(-1/2)

A linear machine on the D columns then takes the place of one with the kernel, in passes over
blocks instead of n² kernel values.
Source: Rahimi & Recht (2007), Random features for large-scale kernel machines, NIPS 20.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from mlpond.udfs.design import Array, Block, Layout
from mlpond.udfs.linear.fit import Moments, Scaling
from mlpond.udfs.trainer import Pass

PIECE = 4096  # rows whose features are made at once: 32 MB for a thousand of them


@dataclass(frozen=True)
class RandomFeatures:
    """The map of one model.

    Attributes:
        omega: Over raw columns, scales taken in, shape (p, D).
        phase: Shifts taken in, shape (D,).
    """

    omega: Array
    phase: Array

    def __call__(self, Z: Array) -> Array:
        """phi of rows of the raw, written-out design (n, p); shape (n, D)."""
        phi = Z @ self.omega
        phi += self.phase
        np.cos(phi, out=phi)
        phi *= math.sqrt(2.0 / self.phase.size)
        return np.asarray(phi)


def random_features(
    layout: Layout, moments: Moments, gamma: float, features: int, seed: int
) -> RandomFeatures:
    """Draw the map for standardised columns.

    Args:
        layout: The columns.
        moments: Of the training rows.
        gamma: Of the kernel.
        features: D.
        seed: Of the drawing.
    """
    scaling = Scaling.of(layout, moments, fit_intercept=True)
    rng = np.random.default_rng(seed)
    omega = rng.normal(scale=math.sqrt(2.0 * gamma), size=(layout.width, features))
    phase = rng.uniform(0.0, 2.0 * math.pi, features)
    omega /= scaling.scale[:, None]
    return RandomFeatures(omega, phase - scaling.shift @ omega[: scaling.shift.size])


def feature_moments(moments: Moments, features: int) -> Moments:
    """Moments of phi as the machine on it sees them: not centred, not scaled."""
    return Moments(np.zeros(features), np.ones(features), moments.rows, moments.label_mean)


@dataclass(frozen=True)
class Mapped:
    """A pass over phi instead of the columns.

    Attributes:
        inner: The pass; its layout is Layout(D).
        layout: The columns that phi is made of.
        features: The map.
    """

    inner: Any
    layout: Layout
    features: RandomFeatures

    @property
    def sample(self) -> float | None:
        """What the inner pass asks for."""
        share: float | None = self.inner.sample
        return share

    @property
    def evaluation(self) -> Mapped | None:
        """The evaluation of the inner pass."""
        judge = self.inner.evaluation
        return None if judge is None else replace(self, inner=judge)

    def start(self) -> Any:
        """No rows."""
        return self.inner.start()

    def step(self, state: Any, block: Block) -> Any:
        """Add a block, a piece at a time, for phi is wide."""
        for piece in self._pieces(block):
            state = self.inner.step(state, piece)
        return state

    def merge(self, a: Any, b: Any) -> Any:
        """Merge."""
        return self.inner.merge(a, b)

    def finish(self, state: Any, evaluation: Any = None) -> Any:
        """The next pass, or the fit of the weights of phi."""
        onwards = self.inner.finish(state, evaluation)
        return replace(self, inner=onwards) if isinstance(onwards, Pass) else onwards

    def _pieces(self, block: Block) -> Iterator[Block]:
        for start in range(0, block.rows, PIECE):
            rows = slice(start, min(start + PIECE, block.rows))
            phi = self.features(block.dense_matrix(self.layout, rows))
            weight = None if block.weight is None else block.weight[rows]
            yield Block(np.asfortranarray(phi), y=block.y[rows], weight=weight)

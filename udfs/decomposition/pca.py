"""Principal component analysis in one scan: the Gram matrix of the columns, and its eigenvectors.

Sums are taken around a shift near the mean, so that centring them afterwards costs no digits.
Source: Jolliffe (2002), Principal Component Analysis, 2nd ed., sections 1.1 and 3.5.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mlpond.udfs.decomposition.components import (
    Options,
    PcaFit,
    check_request,
    check_rows,
    pca_scaling,
    spectrum,
)
from mlpond.udfs.decomposition.randomized import RandomizedPass, randomized
from mlpond.udfs.design import Array, Block, Layout
from mlpond.udfs.linear.fit import Moments, Scaling
from mlpond.udfs.linear.gram import cross_products

MEDIAN_STRIDE = 50


@dataclass
class Gram:
    """What one scan leaves.

    Attributes:
        matrix: M'M of the rows so far, M = [1, X - shift], (p + 1, p + 1); its first entry is n.
        sampled: Every so manieth row of the dense columns, if they are gathered.
    """

    matrix: Array
    sampled: list[Array]


@dataclass(frozen=True)
class PcaPass:
    """The one scan of the full decomposition.

    Attributes:
        layout: The columns.
        scaling: Near enough to the means; the scale is final.
        options: How many components.
    """

    layout: Layout
    scaling: Scaling
    options: Options
    sample: float | None = None
    evaluation: None = None

    def start(self) -> Gram:
        """No rows."""
        q = self.layout.width + 1
        return Gram(np.zeros((q, q)), [])

    def step(self, state: Gram, block: Block) -> Gram:
        """Add a block."""
        state.matrix += cross_products(block, self.layout, self.scaling.shift, ones=True)
        if self.options.gathers:
            state.sampled.append(block.X[slice(None, None, MEDIAN_STRIDE)].copy())
        return state

    def merge(self, a: Gram, b: Gram) -> Gram:
        """Add two sums."""
        return Gram(a.matrix + b.matrix, [*a.sampled, *b.sampled])

    def finish(self, state: Gram, evaluation: Gram | None = None) -> PcaFit:
        """The components."""
        G, p, dense = state.matrix, self.layout.width, self.layout.dense
        n = round(float(G[0, 0]))
        check_rows(n, float(np.trace(G)))
        m = np.zeros(p)
        m[:dense] = G[0, 1 : dense + 1] / n  # what the shift is off the means
        # sum of (z_i - m_i)(z_j - m_j), where only the dense columns have an m
        off = np.outer(m, G[0, 1:])
        C = G[1:, 1:] - off - off.T + n * np.outer(m, m)
        scale = self.scaling.scale.copy()
        sd = np.sqrt(np.maximum(np.diag(C)[:dense], 0.0) / (n - 1))
        if self.options.gathers and self.options.scale_features:
            scale[:dense] = np.where(sd > 0.0, sd, scale[:dense])
        C /= np.outer(scale, scale) * (n - 1)
        constant = no_spread(C, self.scaling)
        C[constant] = 0.0
        C[:, constant] = 0.0
        values, vectors = spectrum(C, self.options)
        return PcaFit(
            vectors, values, float(np.trace(C)), self.scaling.shift + m[:dense],
            scale, n, tuple(constant), 1, True, sd,
            np.median(np.concatenate(state.sampled), axis=0) if state.sampled else None,
        )  # fmt: skip


def no_spread(C: Array, scaling: Scaling) -> list[int]:
    """Dense columns whose variance is nothing but the rounding of their own mean."""
    dense = scaling.shift.size
    at = np.abs(scaling.shift / scaling.scale[:dense])
    eps = float(np.finfo(np.float64).eps)
    return [int(j) for j in np.flatnonzero(np.diag(C)[:dense] <= (8 * eps * at) ** 2)]


def pca(layout: Layout, moments: Moments, options: Options) -> PcaPass | RandomizedPass:
    """The first pass of a principal component analysis.

    Args:
        layout: The columns.
        moments: Of the training rows; the means may be near ones where all rows are known, the
            standard deviations are what SCALE_FEATURES divides by.
        options: How many components, and how.

    Raises:
        ValueError: More components than columns, or a solver that cannot answer.
    """
    check_request(layout, options)
    scaling = pca_scaling(layout, moments, options)
    if options.is_full(layout.width):
        return PcaPass(layout, scaling, options)
    return randomized(layout, scaling, options)

"""The largest principal components of many columns, without the p by p matrix.

Subspace iteration: orthonormal Q (p, l), l a little more than the components wanted, is replaced
by an orthonormal basis of W = C Q, which one scan gives as Z'(Z Q) / (n - 1). Every pass shrinks
what is not of the largest components by the ratio of eigenvalues; Q'W tells the eigenvalues.
Memory is a few arrays of p · l numbers.

Source: Halko, Martinsson & Tropp (2011), SIAM Review 53(2), algorithm 4.4 with A'A applied at
once; Rayleigh-Ritz values as in section 5.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from mlpond.udfs.decomposition.components import Options, PcaFit, check_rows, signed
from mlpond.udfs.design import Array, Block, Layout
from mlpond.udfs.linear.fit import Scaling

OVERSAMPLED = 10  # directions beyond those wanted
MOST_PASSES = 30
RESTING = 1e-10  # largest change of an eigenvalue, as a share of the first, at which to stop


@dataclass
class Products:
    """Sums of one scan: M'(M Q) for M = Z - shift, and what centring it takes.

    Attributes:
        products: Shape (p, l).
        column_sums: Of M, shape (p,).
        squares: Of every column of M, shape (p,), in the first pass only.
        rows: Number of rows.
    """

    products: Array
    column_sums: Array
    squares: Array
    rows: int


@dataclass(frozen=True)
class RandomizedPass:
    """One step of the iteration.

    Attributes:
        layout: The columns.
        scaling: Near enough to the means; the scale is final.
        options: How many components.
        Q: Orthonormal directions over the scaled columns, shape (p, l).
        values: Of the step before, or None.
        total_variance: None before the first pass.
        passes: This one included.
    """

    layout: Layout
    scaling: Scaling
    options: Options
    Q: Array
    values: Array | None = None
    total_variance: float | None = None
    passes: int = 1
    sample: float | None = None
    evaluation: None = None

    def start(self) -> Products:
        """No rows."""
        p = self.layout.width
        return Products(
            np.zeros(self.Q.shape), np.zeros(p), np.zeros(p if self.values is None else 0), 0
        )

    def step(self, state: Products, block: Block) -> Products:
        """Add a block."""
        shift = self.scaling.shift
        directions = self.Q / self.scaling.scale[:, None]
        state.products += block.rmatvec(
            self.layout, block.matvec(self.layout, directions, shift), shift
        )
        ones = np.ones(block.rows)
        state.column_sums += block.rmatvec(self.layout, ones, shift)
        if state.squares.size:
            state.squares += block.squares(self.layout, ones, shift)
        state.rows += block.rows
        return state

    def merge(self, a: Products, b: Products) -> Products:
        """Add two sums."""
        return Products(
            a.products + b.products, a.column_sums + b.column_sums, a.squares + b.squares,
            a.rows + b.rows,
        )  # fmt: skip

    def finish(
        self, state: Products, evaluation: Products | None = None
    ) -> RandomizedPass | PcaFit:
        """The next directions, or the components."""
        n, dense, scale = state.rows, self.layout.dense, self.scaling.scale
        check_rows(n, float(np.sum(state.products)))
        m = np.zeros(scale.size)
        m[:dense] = state.column_sums[:dense] / n
        total = self.total_variance
        if total is None:
            total = float(np.sum((state.squares - n * m * m) / scale**2)) / (n - 1)
        # (M - 1m')'(M - 1m') Q of the sums around the shift
        directions = self.Q / scale[:, None]  # (p, l)
        along = m @ directions
        centred = state.products - np.outer(m, state.column_sums @ directions)
        centred -= np.outer(state.column_sums - n * m, along)
        W = centred / scale[:, None] / (n - 1)  # C Q, (p, l)
        B = self.Q.T @ W
        values, rotation = np.linalg.eigh((B + B.T) / 2)
        values, rotation = np.maximum(values[::-1], 0.0), rotation[:, ::-1]
        k = min(self.options.num_principal_components or values.size, values.size)
        resting = self.values is not None and bool(
            np.max(np.abs(values[:k] - self.values[:k])) <= RESTING * max(values[0], 1e-300)
        )
        if not resting and self.passes < MOST_PASSES:
            onwards = np.linalg.qr(W)[0]
            return replace(
                self, Q=onwards, values=values, total_variance=total, passes=self.passes + 1
            )
        return PcaFit(
            signed((self.Q @ rotation[:, :k]).T), values[:k], total,
            self.scaling.shift + m[:dense], scale, n, (), self.passes, resting,
        )  # fmt: skip


def randomized(layout: Layout, scaling: Scaling, options: Options) -> RandomizedPass:
    """The first pass, from random directions."""
    p = layout.width
    wanted = options.num_principal_components or p
    rng = np.random.default_rng(options.seed)
    Q = np.linalg.qr(rng.normal(size=(p, min(p, wanted + OVERSAMPLED))))[0]
    return RandomizedPass(layout, scaling, options, Q)

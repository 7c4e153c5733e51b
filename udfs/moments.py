"""Moments and medians of the dense columns, gathered beside any other pass.

Throughout: n rows, p dense columns, c a shift near the mean of each column.
A scan costs more than these sums, so a pass that scans anyway takes them along.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from mlpond.udfs.design import Array, Block, Layout
from mlpond.udfs.trainer import Pass


@dataclass
class Sums:
    """What one scan leaves: n, Σ(x - c) and Σ(x - c)², each of shape (p,), and some rows."""

    rows: int
    first: Array
    second: Array
    sampled: list[Array]

    def mean(self, shift: Array) -> Array:
        """Mean of every column, shape (p,)."""
        return shift + self.first / self.rows

    def sd(self) -> Array:
        """Sample standard deviation of every column, shape (p,)."""
        squares = self.second - self.first * self.first / self.rows
        return np.sqrt(np.maximum(squares, 0.0) / max(self.rows - 1, 1))

    def median(self) -> Array:
        """Median of every column over the sampled rows, shape (p,)."""
        return np.median(np.concatenate(self.sampled), axis=0)


@dataclass(frozen=True)
class WithMoments:
    """A pass, and the moments of the rows it sees.

    Attributes:
        inner: The pass.
        layout: The columns.
        shift: Near the mean of each dense column, shape (p,).
        stride: Every so many rows one is kept for the median.
    """

    inner: Pass[Any]
    layout: Layout
    shift: Array
    stride: int
    sample: float | None = None
    evaluation: None = None

    def start(self) -> tuple[Any, Sums]:
        """No rows."""
        zeros = np.zeros(self.layout.dense)
        return self.inner.start(), Sums(0, zeros, zeros.copy(), [])

    def step(self, state: tuple[Any, Sums], block: Block) -> tuple[Any, Sums]:
        """Add a block."""
        inner, sums = state
        for j in range(self.layout.dense):
            d = block.dense_column(j) - self.shift[j]  # (n,)
            sums.first[j] += d.sum()
            sums.second[j] += d @ d
        sums.rows += block.rows
        sums.sampled.append(block.X[slice(None, None, self.stride)].copy())
        return self.inner.step(inner, block), sums

    def merge(self, a: tuple[Any, Sums], b: tuple[Any, Sums]) -> tuple[Any, Sums]:
        """Add two sums."""
        x, y = a[1], b[1]
        merged = Sums(
            x.rows + y.rows, x.first + y.first, x.second + y.second, [*x.sampled, *y.sampled]
        )
        return self.inner.merge(a[0], b[0]), merged

    def finish(
        self, state: tuple[Any, Sums], evaluation: tuple[Any, Sums] | None = None
    ) -> tuple[Any, Sums]:
        """Both states; the caller finishes the inner pass."""
        return state

"""The sums of a linear regression in standardised, centred form."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from mlpond.udfs.design import Array, BoolArray, Layout
from mlpond.udfs.linear.fit import Moments, Options, Scaling
from mlpond.udfs.linear.solve import EPS, Problem, one_hot_nulls


@dataclass(frozen=True)
class Summary:
    """Everything that the weights, the residuals and the tests can be computed from.

    Attributes:
        layout: The columns.
        scaling: How the columns were standardised.
        problem: Least squares over the centred columns.
        rows: Training rows of positive weight.
        weight: Sum of their weights.
        log_weight: Sum of the logarithms of their weights; 0 where they have none.
        mean: Weighted mean of the standardised columns, shape (p,); 0 without an intercept.
        label_mean: Weighted mean of the label less its shift; 0 without an intercept.
        label_shift: What was subtracted from the label.
        total: Sum of squares of the label around its mean (around 0 without an intercept).
        left: Squared residual of the label on all columns, if a root gave it.
        constant: Columns that do not vary.
        fit_intercept: Whether there is one.
    """

    layout: Layout
    scaling: Scaling
    problem: Problem
    rows: int
    weight: float
    log_weight: float
    mean: Array
    label_mean: float
    label_shift: float
    total: float
    left: float | None
    constant: tuple[int, ...]
    fit_intercept: bool

    @classmethod
    def of(
        cls,
        matrix: Array,
        is_root: bool,
        rows: int,
        weight: float,
        log_weight: float,
        complete: BoolArray,
        layout: Layout,
        moments: Moments,
        scaling: Scaling,
        fit_intercept: bool,
    ) -> Summary:
        """From M'M, or from its root, with the columns [1, X, y]."""
        first, p = int(fit_intercept), layout.width
        columns = slice(first, first + p)
        unit = np.r_[np.ones(first), scaling.scale, 1.0]
        root = rhs = left = None
        if is_root:
            R = matrix / unit  # (q, q)
            mean, label_mean = _means(R[0] / R[0, 0] if first else None, columns)
            root, rhs = R[columns, columns], R[columns, -1]
            left = float(R[-1, -1] ** 2)
            H, g = root.T @ root, root.T @ rhs
            total = float(rhs @ rhs) + left
            around = np.linalg.norm(R[:, columns], axis=0)  # length around the shift
        else:
            G = matrix / np.outer(unit, unit)
            mean, label_mean = _means(G[0] / G[0, 0] if first else None, columns)
            H = G[columns, columns] - weight * np.outer(mean, mean)
            g = G[columns, -1] - weight * label_mean * mean
            total = float(G[-1, -1]) - weight * label_mean**2
            around = np.sqrt(np.diag(G)[columns])
        length = np.sqrt(np.maximum(np.diag(H), 0.0))
        # A constant column leaves the rounding of its own subtraction: eps times where it lies.
        # Without an intercept a constant is a column like any other, only 0 is none.
        at = np.zeros(p)
        at[: layout.dense] = np.abs(scaling.shift / scaling.scale[: layout.dense])
        noise = 8 * EPS * np.sqrt(weight) * at + (0.0 if is_root else np.sqrt(EPS)) * around
        usable = length > np.maximum(noise if first else 0.0, 16 * EPS * around * first)
        usable[: layout.dense] &= (moments.sd > 0) | (not first)
        seen = around > 0
        nulls = one_hot_nulls(layout, seen, complete, fit_intercept)
        return cls(
            layout, scaling, Problem(H, g, nulls, usable, root, rhs), rows, weight, log_weight,
            mean, label_mean, moments.label_mean if first else 0.0, max(total, 0.0), left,
            _constant(layout, usable, seen), fit_intercept,
        )  # fmt: skip

    def rss(self, w: Array) -> float:
        """Sum of squared residuals at the weights w."""
        if self.left is not None and self.problem.root is not None and self.problem.rhs is not None:
            gap = self.problem.rhs - self.problem.root @ w
            return self.left + float(gap @ gap)
        H, g = self.problem.H, self.problem.g
        return max(self.total - 2.0 * float(g @ w) + float(w @ H @ w), 0.0)

    def intercept(self, w: Array) -> float:
        """The intercept that goes with the weights w; 0 if none is fitted."""
        if not self.fit_intercept:
            return 0.0
        return self.label_shift + self.label_mean - float(self.mean @ w)


def _means(row: Any, columns: slice) -> tuple[Array, float]:
    if row is None:
        return np.zeros(columns.stop - columns.start), 0.0
    return np.asarray(row[columns]), float(row[-1])


def _constant(layout: Layout, usable: BoolArray, seen: BoolArray) -> tuple[int, ...]:
    """Dense columns that do not vary, and categories that every row has."""
    constant = [j for j in range(layout.dense) if not usable[j]]
    constant += [j for j in range(layout.dense, layout.width) if seen[j] and not usable[j]]
    return tuple(constant)


def augmented_nulls(layout: Layout, gram: Array, complete: BoolArray, options: Options) -> Array:
    """The structural null space of M = [1, X, y], shape (q, m)."""
    first, p = int(options.fit_intercept), layout.width
    seen = np.diag(gram)[first : first + p] > 0
    inner = one_hot_nulls(layout, seen, complete, options.fit_intercept)
    nulls = np.zeros((gram.shape[0], inner.shape[1]))
    nulls[first : first + p] = inner
    if first:
        nulls[0] = -1.0  # a shift of the categories is undone by the intercept
    return nulls

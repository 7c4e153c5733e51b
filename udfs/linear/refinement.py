"""Iterative refinement of least squares: the digits that its arithmetic lost, from further scans.

Throughout: b the weights of the raw columns X and c the intercept, both as two doubles (hi, lo);
v the weights of the rows, 1 where there are none; L L' the inverse of the centred, standardised
cross-product.

    r  = y - c - X b              in twice the precision, from the raw doubles
    g  = (X - mean)' diag(v) r    the same; 0 at the optimum
    b += L L' g,   c += mean(r) - mean(X) L L' g

Only r and g need the precision: an error of L, condition · eps, is one of the correction, which a
second step takes out again. What is left is the exact solution of the doubles given, rounded once.
What the squared residuals have above the least is |L'g|², so it tells whether a step was a gain.
Source: Björck (1987), "Stability analysis of the method of seminormal equations for linear least
squares problems", Linear Algebra and its Applications 88/89.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from mlpond.udfs.design import CACHE_CELLS, Array, Block
from mlpond.udfs.linear.fit import Fit, Options
from mlpond.udfs.linear.gram import pieces
from mlpond.udfs.linear.least_squares import Judge, Refined, fit_least_squares
from mlpond.udfs.linear.solve import Solution
from mlpond.udfs.linear.summary import Summary
from mlpond.udfs.linear.twofold import Pair, add, halves, total, two_product
from mlpond.udfs.trainer import Pass

CELLS = 2e5  # rows · columns up to which both steps take less than 25 ms
STEPS = 2


def is_refinable(summary: Summary, options: Options) -> bool:
    """Whether the fit is the exact optimum of a small table."""
    small = summary.rows * (summary.layout.width + 1) <= CELLS
    penalised = options.l1_reg > 0 or options.l2_reg > 0 or options.regularization_path > 0
    return small and not (penalised or options.descends)


@dataclass
class Gradient:
    """What one scan leaves.

    Attributes:
        g: (X, 1)' diag(v) r, shape (p + 1,).
        rss: Sum of v r².
    """

    g: Pair
    rss: float


@dataclass(frozen=True)
class Refinement:
    """One scan for the residuals of a solution, and its correction.

    Attributes:
        summary: Of the first scan.
        solution: Whose inverse root corrects.
        options: How to fit.
        judge: Of the held-out rows.
        passes: Scans made when this one is.
        b: Weights of the raw columns and the intercept behind them, shape (p + 1,) each.
        excess: Squared residuals above the least one step before.
        before: The fit one step before.
        step_number: From 1.
    """

    summary: Summary
    solution: Solution
    options: Options
    judge: Judge | None
    passes: int
    b: Pair
    excess: float = np.inf
    before: Refined | None = None
    step_number: int = 1

    @classmethod
    def of(
        cls,
        summary: Summary,
        solution: Solution,
        options: Options,
        judge: Judge | None,
        passes: int,
    ) -> Refinement:
        """The first step after so many passes."""
        w = solution.w
        intercept = np.array([summary.intercept(w)])
        raw, raw_intercept = summary.scaling.to_raw(w[None, :], intercept)
        b = np.append(raw[0], raw_intercept if options.fit_intercept else 0.0)
        return cls(summary, solution, options, judge, passes + 1, (b, np.zeros_like(b)))

    @property
    def sample(self) -> None:
        """All rows."""

    @property
    def evaluation(self) -> None:
        """The held-out rows were seen by the first pass."""

    def start(self) -> Gradient:
        """No rows."""
        return Gradient((np.zeros_like(self.b[0]), np.zeros_like(self.b[0])), 0.0)

    def step(self, state: Gradient, block: Block) -> Gradient:
        """Add a block."""
        with np.errstate(over="ignore", invalid="ignore"):  # finish() looks for what overflowed
            return self._step(state, block)

    def _step(self, state: Gradient, block: Block) -> Gradient:
        layout = self.summary.layout
        shift, ones = np.zeros(layout.dense), np.ones((block.rows, 1))
        size = max(CACHE_CELLS // 16 // (layout.width + 1), 64)  # a dozen arrays of it in the cache
        for rows, M in pieces(block, layout, shift, False, ones):
            for first in range(0, M.shape[0], size):
                part = slice(rows.start + first, min(rows.start + first + size, rows.stop))
                weight = None if block.weight is None else block.weight[part]
                added = self._gradient(M[first : first + size], block.y[part], weight)
                state = self.merge(state, added)
        return state

    def _gradient(self, M: Array, y: Array, weight: Array | None) -> Gradient:
        """Of the rows of M = [X, 1], shape (m, p + 1)."""
        hi, lo = self.b
        split = halves(M)
        fitted, error = two_product(M, -hi, split)  # (m, p + 1)
        error -= M * lo
        r, rest = total(np.vstack([y, fitted.T]), error.T)  # (m,)
        vr, vrest = r, rest
        if weight is not None:
            vr, vrest = two_product(weight, r)
            vrest = vrest + weight * rest
        products, error = two_product(M, vr[:, None], split)
        error += M * vrest[:, None]
        return Gradient(total(products, error), float(np.sum(vr * r)))

    def merge(self, a: Gradient, b: Gradient) -> Gradient:
        """Add two sums."""
        return Gradient(add(a.g, b.g), a.rss + b.rss)

    def finish(self, state: Gradient, evaluation: Gradient | None = None) -> Pass[Gradient] | Fit:
        """One more step, or the fit; the fit of the step before where this one was no gain."""
        summary, L = self.summary, self.solution.inverse_root
        scaling, weight = summary.scaling, summary.weight
        hi, lo = state.g
        mean = summary.mean * scaling.scale  # of the raw columns, (p,)
        mean[: scaling.shift.size] += scaling.shift
        g = hi[:-1]
        if self.options.fit_intercept:
            moved, error = two_product(-mean, hi[-1:])
            g, _ = total(np.stack([g, moved]), np.stack([lo[:-1], error, -mean * lo[-1]]))
        projected = L.T @ (g / scaling.scale)  # (r,)
        excess = float(projected @ projected)
        is_gain = excess <= self.excess and bool(np.isfinite(state.rss))
        if not is_gain:
            return self._fit(self.before)
        correction = L @ projected / scaling.scale
        constant = 0.0
        if self.options.fit_intercept:
            constant = float(hi[-1]) / weight - float(mean @ correction)
        b = add(self.b, (np.append(correction, constant), np.zeros_like(self.b[0])))
        refined = self._refined(b, max(state.rss - excess, 0.0))
        if self.step_number == STEPS:
            return self._fit(refined)
        return replace(
            self, passes=self.passes + 1, b=b, excess=excess, before=refined,
            step_number=self.step_number + 1,
        )  # fmt: skip

    def _refined(self, b: Pair, rss: float) -> Refined:
        """The weights of the raw and of the standardised columns, rounded once."""
        scaling, dense = self.summary.scaling, self.summary.scaling.shift.size
        hi, lo = b
        shifted, error = two_product(scaling.shift, hi[:dense])
        small = np.concatenate([lo[-1:], error, scaling.shift * lo[:dense]])
        intercept, _ = total(np.append(shifted, hi[-1]), small)
        return Refined(hi[:-1], float(hi[-1]), hi[:-1] * scaling.scale, float(intercept), rss)

    def _fit(self, refined: Refined | None) -> Fit:
        return fit_least_squares(
            self.summary, self.solution, self.options, self.passes, None, self.judge, refined
        )

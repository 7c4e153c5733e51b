"""Least squares from one scan.

Throughout: M = [1, X - shift, y - label mean] row by row, times sqrt(weight); q its columns.

Small data go through a tall-skinny QR of M. Large data go through the Gram matrix M'M, which
costs a tenth of it but squares the condition number. So finish() looks at the condition number:
where the Gram matrix would lose digits, a second scan takes the Gram matrix of M K⁻¹, K the
Cholesky factor of the first. M K⁻¹ is nearly orthogonal, nothing is lost any more, and its root
times K is as good a root of M'M as that of QR (Yamamoto, Nakatsukasa, Yanagisawa & Fukaya, 2015,
"CholeskyQR2"). Where K itself cannot be trusted, the second scan is the QR.

Of small tables, two more scans refine the solution (udfs/linear/refinement.py).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from mlpond.udfs.design import Array, Block, BoolArray, Layout
from mlpond.udfs.linear.fit import Fit, Moments, Options, Scaling
from mlpond.udfs.linear.gram import cross_products
from mlpond.udfs.linear.least_squares import fit_least_squares, one_solution, squared_error
from mlpond.udfs.linear.losses import SQUARED
from mlpond.udfs.linear.quasi_newton import quasi_newton
from mlpond.udfs.linear.refinement import Refinement, is_refinable
from mlpond.udfs.linear.solve import Solution
from mlpond.udfs.linear.summary import Summary, augmented_nulls
from mlpond.udfs.linear.task import Task
from mlpond.udfs.linear.tsqr import empty_root, merge_roots, root, triangle
from mlpond.udfs.trainer import Pass

QR_WORK = 2e8  # rows · q² up to which QR takes less than a fifth of a second
WIDEST = 2000  # columns beyond which no matrix of columns is made
TRUSTED = 6e2  # condition number up to which a Gram matrix keeps ten digits: eps · cond² < 1e-10
REFINABLE = 1e7  # up to which its Cholesky factor orthogonalises
NOISE = 1e-7  # share of the variance left over, below which a Gram matrix garbles the residuals


def linear_regression(
    layout: Layout,
    moments: Moments,
    options: Options | None = None,
    warm_start: tuple[Array, Array] | None = None,
) -> Pass[Any]:
    """The first pass of a linear regression.

    Args:
        layout: The columns of the blocks.
        moments: Mean, standard deviation and number of the training rows.
        options: How to fit.
        warm_start: Coefficients (1, p) and intercept (1,) of the raw columns, from which
            gradient descent and L-BFGS begin; the exact methods need no start.
    """
    options = options or Options()
    scaling = Scaling.of(layout, moments, options.fit_intercept)
    if layout.width > WIDEST:
        if options.regularization_path:
            raise ValueError(
                f"linear_reg: regularization_path needs a matrix of the columns, of which there "
                f"are {layout.width}; at most {WIDEST} are accepted."
            )
        task = Task(SQUARED, layout, moments, options, 1)
        return quasi_newton(task, task.start(warm_start))
    q = layout.width + 1 + int(options.fit_intercept)
    method = "qr" if moments.rows * q * q <= QR_WORK else "gram"
    return LeastSquaresPass(layout, moments, options, scaling, method, warm_start=warm_start)


@dataclass
class Sums:
    """What one scan leaves.

    Attributes:
        matrix: M'M, or a triangular root of it, shape (q, q).
        rows: Number of rows of positive weight.
        weight: Sum of their weights.
        log_weight: Sum of the logarithms of their weights.
        incomplete: Whether some row has no category, for each categorical feature.
    """

    matrix: Array
    rows: int
    weight: float
    log_weight: float
    incomplete: BoolArray


@dataclass(frozen=True)
class LeastSquaresPass:
    """One scan: a Gram matrix ("gram"), the same of M K⁻¹ ("refine"), or a QR ("qr").

    Attributes:
        K: The factor that "refine" divides by, shape (q, q).
        K_inverse: Its inverse.
    """

    layout: Layout
    moments: Moments
    options: Options
    scaling: Scaling
    method: str
    K: Array | None = None
    K_inverse: Array | None = None
    passes: int = 1
    warm_start: tuple[Array, Array] | None = None
    sample: float | None = None

    @property
    def evaluation(self) -> LeastSquaresPass:
        """The held-out rows give their sums, from which any weights can be judged."""
        return replace(self, method="gram") if self.method == "refine" else self

    def start(self) -> Sums:
        """No rows."""
        q = self.layout.width + 1 + int(self.options.fit_intercept)
        return Sums(
            empty_root(q), 0, 0.0, 0.0, np.zeros(len(self.layout.cardinalities), dtype=bool)
        )

    def step(self, state: Sums, block: Block) -> Sums:
        """Add a block."""
        if block.rows == 0:
            return state
        ones, shift = self.options.fit_intercept, self.scaling.shift
        # without an intercept nothing may move
        extra = (block.y - self.moments.label_mean if ones else block.y)[:, None]
        if self.method == "qr":
            added = root(block, self.layout, shift, ones, extra, block.weight)
        else:
            right = self.K_inverse if self.method == "refine" else None
            added = cross_products(block, self.layout, shift, ones, extra, block.weight, right)
        incomplete = np.array([bool(np.any(codes < 0)) for codes in block.codes], dtype=bool)
        logs = 0.0
        if block.weight is not None:
            logs = float(np.log(block.weight[block.weight > 0]).sum())
        more = Sums(added, block.counted, block.total_weight, logs, incomplete)
        return self.merge(state, more)

    def merge(self, a: Sums, b: Sums) -> Sums:
        """Add two sums, or put one root over the other."""
        if a.rows == 0 or b.rows == 0:
            return a if b.rows == 0 else b
        both = merge_roots(a.matrix, b.matrix) if self.method == "qr" else a.matrix + b.matrix
        return Sums(
            both, a.rows + b.rows, a.weight + b.weight, a.log_weight + b.log_weight,
            a.incomplete | b.incomplete,
        )  # fmt: skip

    def finish(self, state: Sums, evaluation: Sums | None = None) -> Pass[Any] | Fit:
        """The fit, or a second pass where this one lost digits."""
        if state.rows == 0 or not state.weight > 0:
            raise ValueError("linear_reg: there are no training rows; pass at least one.")
        if not np.all(np.isfinite(state.matrix)):
            raise ValueError(
                "linear_reg: the sums of squares are not finite. A feature, label or weight holds "
                "NaN or infinity, or is so large that its square overflows (beyond 1e150)."
            )
        summary = self._summary(state)
        solution = one_solution(summary, self.options)
        if self.method == "gram" and not _is_trusted(summary, solution):
            return self._second_pass(state)
        judge = None
        if evaluation is not None and evaluation.rows:
            is_root = self.evaluation.method == "qr"
            judge = squared_error(evaluation.matrix, is_root, evaluation.weight, summary)
        small = self.method == "qr" and self.passes == 1
        if small and is_refinable(summary, self.options):
            return Refinement.of(summary, solution, self.options, judge, self.passes)
        return fit_least_squares(
            summary, solution, self.options, self.passes, self.warm_start, judge
        )

    def _summary(self, state: Sums) -> Summary:
        matrix, is_root = state.matrix, self.method != "gram"
        if self.method == "refine" and self.K is not None:
            values, vectors = np.linalg.eigh((matrix + matrix.T) / 2)
            sqrt = np.sqrt(np.maximum(values, 0.0))[:, None] * vectors.T
            matrix = triangle(sqrt @ self.K)
        return Summary.of(
            matrix, is_root, state.rows, state.weight, state.log_weight, ~state.incomplete,
            self.layout, self.moments, self.scaling, self.options.fit_intercept,
        )  # fmt: skip

    def _second_pass(self, state: Sums) -> Pass[Sums]:
        """CholeskyQR2 if the first Gram matrix has a factor that is worth it, else QR."""
        nulls = augmented_nulls(self.layout, state.matrix, ~state.incomplete, self.options)
        length = np.sqrt(np.diag(state.matrix))
        length[length == 0] = 1.0
        visible = np.linalg.qr(length[:, None] * nulls)[0] if nulls.shape[1] else nulls
        E = state.matrix / np.outer(length, length) + visible @ visible.T
        E[np.diag_indices_from(E)] += np.diag(state.matrix) == 0
        values = np.linalg.eigvalsh(E)
        again = replace(self, passes=self.passes + 1)
        if values[0] * REFINABLE**2 < values[-1]:
            return replace(again, method="qr")
        factor = np.linalg.cholesky(E).T * length
        # the inverse of a triangular matrix, scaled so that its condition is that of E
        inverse = np.linalg.inv(factor / length) / length[:, None]
        return replace(again, method="refine", K=factor, K_inverse=inverse)


def _is_trusted(summary: Summary, solution: Solution) -> bool:
    """Whether a Gram matrix kept the digits of the weights and of the residuals."""
    if solution.solved_condition > TRUSTED:
        return False
    return summary.rss(solution.w) > NOISE * summary.total

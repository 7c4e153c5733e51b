"""Support vector machines with a kernel: rows are packed, and every class is a dual for SMO.

    f_k(x) = sum_j coefficient_kj k(x_j, x) + intercept_k

over the support vectors x_j, rows of the standardised design. Random access is needed, so the
design is packed into one array of n · p doubles, and kernel rows are cached beside it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mlpond.udfs.blas import one_thread
from mlpond.udfs.design import Array, Block, Layout
from mlpond.udfs.linear.fit import FitWarning, Iteration, Moments, Scaling
from mlpond.udfs.svm.fit import Options
from mlpond.udfs.svm.kernels import Kernel, default_gamma
from mlpond.udfs.svm.smo import Cache, Dual, Optimum, smo


@dataclass(frozen=True)
class KernelFit:
    """The support vectors and what they weigh; C weight vectors, 1 for two classes or a number.

    Attributes:
        kernel: With its gamma filled in.
        vectors: Standardised support vectors, shape (s, p).
        raw: The same as raw columns, shape (s, p).
        label: Of the support vectors: a number, or the index of the class, shape (s,).
        coefficients: Label times alpha, shape (C, s); 0 where the row supports another class.
        scores: f at the support vectors, shape (C, s).
        intercept: Shape (C,).
        scaling: From raw to standardised columns.
        rows: Training rows.
        weight: Sum of their weights.
        loss: Mean loss of the training rows, without penalty.
        objective: Sum over the classes of sum of losses + l2_reg / 2 |f|².
        iterations: One, for the training log.
        steps: Pairs of variables that were improved.
        converged: Whether the tolerance was met.
        warnings: What the user should know.
        passes: Scans.
    """

    kernel: Kernel
    vectors: Array
    raw: Array
    label: Array
    coefficients: Array
    scores: Array
    intercept: Array
    scaling: Scaling
    rows: int
    weight: float
    loss: float
    objective: float
    iterations: tuple[Iteration, ...]
    steps: int
    converged: bool
    warnings: tuple[FitWarning, ...] = ()
    passes: int = 1

    def decide(self, Z: Array) -> Array:
        """Scores of rows of the raw, written-out design (n, p); shape (n, C)."""
        Z = Z / self.scaling.scale
        Z[:, : self.scaling.shift.size] -= (
            self.scaling.shift / self.scaling.scale[: self.scaling.shift.size]
        )
        return self.kernel.combine(Z, self.vectors, self.coefficients.T) + self.intercept


@dataclass(frozen=True)
class PackPass:
    """Keeps the rows, standardised, and trains when all are there.

    Attributes:
        layout: The columns.
        scaling: From raw to standardised columns.
        options: Loss and penalty.
        kernel: Its gamma is that of default_gamma if `fills_gamma`.
        fills_gamma: See kernel.
        classes: Number of classes; 0 for a regression.
    """

    layout: Layout
    scaling: Scaling
    options: Options
    kernel: Kernel
    fills_gamma: bool
    classes: int
    sample: float | None = None
    evaluation: None = None

    def start(self) -> list[Block]:
        """No rows."""
        return []

    def step(self, state: list[Block], block: Block) -> list[Block]:
        """Keep a block, written out."""
        if block.rows:
            Z = np.empty((block.rows, self.layout.width), order="F")
            block.fill(self.layout, slice(0, block.rows), self.scaling.shift, Z)
            Z /= self.scaling.scale
            state.append(Block(Z, y=block.y, weight=block.weight))
        return state

    def merge(self, a: list[Block], b: list[Block]) -> list[Block]:
        """All blocks, in order."""
        return a + b

    def finish(self, state: list[Block], evaluation: object = None) -> KernelFit:
        """Train."""
        if not state:
            raise ValueError("svm: there are no training rows; pass at least one.")
        Z = np.vstack([np.asarray(block.X) for block in state])  # (n, p)
        y = np.concatenate([block.y for block in state])
        v = np.concatenate([_weights(block) for block in state])
        if not (np.all(np.isfinite(Z)) and np.all(np.isfinite(y)) and np.all(np.isfinite(v))):
            raise ValueError("svm: a feature, label or weight holds NaN or infinity.")
        kernel = self.kernel
        if self.fills_gamma:
            kernel = Kernel(kernel.name, default_gamma(Z), kernel.coef0, kernel.degree)
        labels = _labels(y, self.classes)
        duals = [dual(label, v, self.options) for label in labels]
        with one_thread():
            cache = Cache(Z, kernel)
            return self._fit(cache, y, v, labels, duals, [smo(cache, d) for d in duals])

    def _fit(
        self,
        cache: Cache,
        y: Array,
        v: Array,
        labels: list[Array],
        duals: list[Dual],
        optima: list[Optimum],
    ) -> KernelFit:
        n, l2 = y.size, self.options.l2_reg
        b = np.zeros((len(duals), n))
        for own, problem, optimum in zip(b, duals, optima, strict=True):
            own += np.bincount(problem.row, optimum.b, n)
        smooth = [self._values(d, o, n) for d, o in zip(duals, optima, strict=True)]
        intercept = np.array([o.threshold for o in optima])
        scores = np.stack(smooth) + intercept[:, None]  # (C, n)
        losses = [
            float(self.options.margin.loss(f, label) @ v)
            for f, label in zip(scores, labels, strict=True)
        ]
        # |f|² = b'Kb, and b is in units of 1 / l2_reg already
        norms = [float(w @ values) for w, values in zip(b, smooth, strict=True)]
        (used,) = np.nonzero(np.any(b != 0.0, axis=0))
        vectors = cache.X[used]
        raw = vectors * self.scaling.scale
        raw[:, : self.scaling.shift.size] += self.scaling.shift
        converged = all(o.converged for o in optima)
        warnings = () if converged else (_not_converged(),)
        mean = float(np.sum(losses)) / len(losses) / float(v.sum())
        return KernelFit(
            cache.kernel, vectors, raw, y[used], b[:, used], scores[:, used], intercept,
            self.scaling, n, float(v.sum()), mean,
            float(np.sum(losses)) + l2 / 2.0 * float(np.sum(norms)), (Iteration(0, mean),),
            sum(o.steps for o in optima), converged, warnings,
        )  # fmt: skip

    @staticmethod
    def _values(problem: Dual, optimum: Optimum, n: int) -> Array:
        """K b for every row, shape (n,)."""
        out = np.empty(n)
        out[problem.row] = optimum.gradient - problem.linear
        return out


def dual(label: Array, v: Array, options: Options) -> Dual:
    """The dual of one machine.

    Args:
        label: 0 or 1 for a classifier, a number for a regression, shape (n,).
        v: Row weights, shape (n,); a row of weight 0 has no say.
        options: Loss and penalty.
    """
    n = label.size
    C = v / options.l2_reg
    rows = np.arange(n)
    if options.is_regression:
        return Dual(
            np.concatenate([options.epsilon - label, -options.epsilon - label]),
            np.concatenate([np.zeros(n), -C]),
            np.concatenate([C, np.zeros(n)]),
            np.concatenate([rows, rows]),
        )
    s = 2.0 * label - 1.0
    return Dual(-s, np.where(s > 0.0, 0.0, -C), np.where(s > 0.0, C, 0.0), rows)


def kernel_svm(
    layout: Layout,
    moments: Moments,
    options: Options,
    kernel: str,
    gamma: float | None = None,
    coef0: float = 0.0,
    degree: int = 3,
    classes: int = 2,
) -> PackPass:
    """The one pass of a support vector machine with a kernel.

    Args:
        layout: The columns.
        moments: Of the training rows.
        options: Penalty, and epsilon; the loss is the hinge.
        kernel: One of kernels.NAMES.
        gamma: None for 1 / (p var(X)) over the standardised columns.
        coef0: Of POLYNOMIAL.
        degree: Of POLYNOMIAL.
        classes: Number of classes; not read for a regression.

    Raises:
        ValueError: The loss is squared, or a parameter is out of range.
    """
    if options.squared:
        raise ValueError(
            "svm: loss SQUARED_HINGE is for a linear kernel or random features; use HINGE."
        )
    scaling = Scaling.of(layout, moments, fit_intercept=True)
    return PackPass(
        layout, scaling, options,
        Kernel(kernel, 1.0 if gamma is None else gamma, coef0, degree), gamma is None,
        0 if options.is_regression else classes,
    )  # fmt: skip


def _weights(block: Block) -> Array:
    return np.ones(block.rows) if block.weight is None else block.weight


def _labels(y: Array, classes: int) -> list[Array]:
    """The label of every machine: one a class from three classes on."""
    if classes <= 2:
        return [y]
    return [(y == k).astype(np.float64) for k in range(classes)]


def _not_converged() -> FitWarning:
    return FitWarning(
        "not_converged", (), "SMO stopped at its limit of steps; raise l2_reg or scale the columns"
    )

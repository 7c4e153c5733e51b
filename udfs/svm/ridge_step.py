"""One Newton step of losses plus a ridge penalty, which makes the system positive definite.

(H + l2 I) d = -(g + l2 w)       the intercept, the last entry, without penalty
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mlpond.udfs.blas import one_thread
from mlpond.udfs.design import Array
from mlpond.udfs.svm.problem import Problem


@dataclass(frozen=True)
class RidgeStep:
    """A step and what it promises.

    Attributes:
        d: Shape (1, p + 1).
        slope: Derivative of the objective along it, not above 0.
        gain: Decrease of the objective that the quadratic model promises.
        loss_gain: Decrease of the sum of losses that it promises.
        constant: Dense columns that do not vary.
    """

    d: Array
    slope: float
    gain: float
    loss_gain: float
    constant: tuple[int, ...]


def ridge_step(problem: Problem, theta: Array, gradient: Array, hessian: Array) -> RidgeStep:
    """The step from theta.

    Args:
        problem: Columns and l2_reg, above 0.
        theta: Weights of the standardised columns and the intercept, shape (1, p + 1).
        gradient: Of the sum of losses, in the shifted columns, shape (p + 1,).
        hessian: Of the same, shape (p + 1, p + 1).
    """
    unit = np.r_[1.0 / problem.scaling.scale, 1.0]
    l2, fixed = problem.options.l2_reg, ~problem.varying
    g = gradient * unit
    H = hessian * np.outer(unit, unit)
    H[fixed], H[:, fixed], g[fixed] = 0.0, 0.0, 0.0
    A = H.copy()
    A[np.diag_indices(g.size - 1)] += l2
    if A[-1, -1] <= 0.0:
        A[-1, -1] = 1.0  # no intercept, or no row that would move it
    whole = g + l2 * np.r_[theta[0, :-1], 0.0]
    with one_thread():
        d = np.linalg.solve(A, -whole)
    slope = float(whole @ d)
    loss_gain = -float(g @ d) - 0.5 * float(d @ H @ d)
    constant = tuple(int(j) for j in np.flatnonzero(fixed[:-1]))
    return RidgeStep(d[None], min(slope, 0.0), max(-0.5 * slope, 0.0), loss_gain, constant)

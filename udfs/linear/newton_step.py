"""One Newton step from the sums of a pass.

Throughout: u the stacked weights and b the stacked intercepts of all C classes (or of the K - 1
directions between classes). Intercepts bear no penalty and are eliminated:

    H_c = H_uu - H_ub H_bb⁻¹ H_bu        g_c = g_u - H_ub H_bb⁻¹ g_b

which leaves the problem that `solve` knows from least squares.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mlpond.udfs.design import Array, BoolArray, IntArray
from mlpond.udfs.linear.coordinate_descent import coordinate_descent
from mlpond.udfs.linear.solve import EPS, Problem, Solution, one_hot_nulls, project_out, solve
from mlpond.udfs.linear.task import Task


@dataclass(frozen=True)
class Step:
    """A step and what it promises.

    Attributes:
        d: The step, shape (C, p + 1).
        slope: Derivative of F along it (an upper bound of it under l1), negative.
        gain: Decrease of F that the quadratic model promises.
        loss_gain: Decrease of the sum of losses that the model promises.
        solution: Of the linear system; its condition number is that of the weighted columns.
        constant: Dense columns that do not vary.
        centred: H_c without penalty, shape (C p, C p).
        mean: Weighted means of the standardised columns, shape (p,); for C = 1.
        free_weight: H_bb for C = 1.
        rank: Coefficients that can be estimated, without intercepts.
    """

    d: Array
    slope: float
    gain: float
    loss_gain: float
    solution: Solution
    constant: tuple[int, ...]
    centred: Array
    mean: Array
    free_weight: float
    rank: int


def newton_step(
    task: Task,
    theta: Array,
    gradient: Array,
    hessian: Array,
    complete: BoolArray,
) -> Step:
    """The step from theta.

    Args:
        task: Objective and columns.
        theta: Shape (C, p + 1).
        gradient: Of the sum of losses, in the shifted columns, shape (C, p + 1).
        hessian: Of the same, shape (C (p + 1), C (p + 1)).
        complete: Whether every row has a category, for each categorical feature.
    """
    options, layout = task.options, task.layout
    C, k = theta.shape
    p = k - 1
    l1, l2 = options.l1_reg, options.l2_reg
    unit = np.tile(np.r_[1.0 / task.scaling.scale, 1.0], C)
    varying = task.varying
    H = hessian * np.outer(unit, unit)
    g = gradient.ravel() * unit
    keeps = np.tile(varying, C)
    H[~keeps], H[:, ~keeps], g[~keeps] = 0.0, 0.0, 0.0
    constant = tuple(int(j) for j in np.flatnonzero(~varying[:p]))
    seen = np.diag(H)[:p] > 0
    nulls = one_hot_nulls(layout, seen, complete, options.fit_intercept)

    B = _between(C) if C > 1 else np.ones((1, 1))
    weights, intercepts = _places(B.shape[1], p)
    basis = np.kron(B, np.eye(k)) if C > 1 else None
    Hr, gr = (H, g) if basis is None else (basis.T @ H @ basis, basis.T @ g)
    phi = theta.ravel() if basis is None else basis.T @ theta.ravel()
    # without an intercept its rows are zero, and lstsq leaves it where it is
    Hc, gc, T, t = _eliminate(Hr, gr, weights, intercepts)
    wide_nulls = np.asarray(np.kron(np.eye(B.shape[1]), nulls), dtype=np.float64)
    diagonal = np.diag(Hc)
    usable = diagonal > EPS * np.maximum(np.diag(Hr)[weights], 1e-300)
    problem = Problem(Hc, -(gc + l2 * phi[weights]), wide_nulls, usable)
    solution = solve(problem, l2)
    rank = solution.inverse_root.shape[1] - int(np.sum(np.any(wide_nulls[usable] != 0, axis=0)))

    if l1 > 0:
        d = _proximal(H, g, theta, l1, l2, varying)
    else:
        reduced = np.zeros(Hr.shape[0])
        reduced[weights] = solution.w
        if l2 == 0:  # stay the shortest of all equal answers
            target = project_out(phi[weights] + solution.w, wide_nulls)
            reduced[weights] = target - phi[weights]
        reduced[intercepts] = t - T @ reduced[weights]
        d = (reduced if basis is None else basis @ reduced).reshape(C, k)
    smooth = g.reshape(C, k).copy()
    linear = float(np.sum(smooth * d))
    curved = float(d.ravel() @ H @ d.ravel())
    w, dw = theta[:, :-1], d[:, :-1]
    penalty = l2 * float(np.sum(w * dw)) + l1 * float(np.sum(np.abs(w + dw)) - np.sum(np.abs(w)))
    slope = linear + penalty
    gain = -(slope + curved / 2 + l2 / 2 * float(np.sum(dw * dw)))
    mean, free = np.zeros(p), 0.0
    if options.fit_intercept and C == 1:
        free = float(H[p, p])
        mean = H[:p, p] / free if free > 0 else mean
    return Step(
        d, min(slope, 0.0), max(gain, 0.0), -(linear + curved / 2), solution, constant, Hc, mean,
        free, rank,
    )  # fmt: skip


def _between(K: int) -> Array:
    """An orthonormal basis of the vectors of K numbers that sum to zero, shape (K, K - 1)."""
    return np.linalg.qr(np.ones((K, 1)), mode="complete")[0][:, 1:]


def _places(C: int, p: int) -> tuple[IntArray, IntArray]:
    """Where the weights and the intercepts lie among C (p + 1) coefficients."""
    places = np.arange(C * (p + 1)).reshape(C, p + 1)
    return places[:, :p].ravel(), places[:, p]


def _eliminate(
    H: Array, g: Array, weights: IntArray, intercepts: IntArray
) -> tuple[Array, Array, Array, Array]:
    """H_c, g_c, and T, t such that the step in the intercepts is t - T d."""
    Hub, Hbb = H[np.ix_(weights, intercepts)], H[np.ix_(intercepts, intercepts)]
    solved = np.linalg.lstsq(Hbb, np.c_[Hub.T, g[intercepts]], rcond=1e-14)[0]
    T, t = solved[:, :-1], -solved[:, -1]
    Hc = H[np.ix_(weights, weights)] - Hub @ T
    return (Hc + Hc.T) / 2, g[weights] + Hub @ t, T, t


def _proximal(H: Array, g: Array, theta: Array, l1: float, l2: float, varying: BoolArray) -> Array:
    """Coordinate descent on the quadratic model plus the l1 penalty, over all coefficients."""
    C, k = theta.shape
    t = theta.ravel()
    penalised = np.ones((C, k))
    penalised[:, -1] = 0.0
    A = H + l2 * np.diag(penalised.ravel())
    b = H @ t - g  # l2 is in A and pulls towards 0, not towards t
    keeps = np.tile(varying, C)
    A[~keeps], A[:, ~keeps], b[~keeps] = 0.0, 0.0, 0.0
    to, _ = coordinate_descent(A, b, l1 * penalised.ravel(), t)
    return np.asarray(to - t).reshape(C, k)

"""Coordinate descent for a quadratic with an absolute-value penalty.

    minimise  1/2 w'Hw - g'w + sum_j l1_j |w_j|       H positive semidefinite, shape (p, p)

The one solver of everything with an l1 penalty: for a linear regression H is the Gram matrix
and one call is the fit; for a logistic regression H is the Hessian and one call is a step.
Source: Friedman, Hastie & Tibshirani (2010), J. Stat. Softw. 33(1), section 2.2. Their descent
converges only linearly, so once the set of nonzero weights settles, the equations of that set
are solved directly; if signs and gradients agree, that is the optimum to the last digit.
"""

from __future__ import annotations

import numpy as np

from mlpond.udfs.design import Array

MOST_SWEEPS = 10_000
TOLERANCE = 1e-13  # of the largest scaled change in one sweep


def coordinate_descent(H: Array, g: Array, l1: Array, start: Array) -> tuple[Array, bool]:
    """The minimiser, and whether the optimality conditions were reached.

    Args:
        H: Shape (p, p); a column whose diagonal is 0 keeps weight 0.
        g: Shape (p,).
        l1: Penalty of each weight, 0 for none, shape (p,).
        start: Where to begin, shape (p,).
    """
    diagonal = np.diag(H)
    (movable,) = np.nonzero(diagonal > 0)
    w = np.where(diagonal > 0, start, 0.0)
    residual = g - H @ w  # minus the gradient of the quadratic, (p,)
    unit = np.sqrt(diagonal)
    size = float(np.max(np.abs(g[movable]) / unit[movable], initial=0.0))
    tried: bytes | None = None
    for sweep in range(MOST_SWEEPS):
        # every fifth sweep goes over all weights, the others over the nonzero ones
        order = movable if sweep % 5 == 0 else movable[w[movable] != 0]
        change = 0.0
        for j in order:
            old = w[j]
            pull = residual[j] + diagonal[j] * old
            new = np.copysign(max(abs(pull) - l1[j], 0.0), pull) / diagonal[j]
            if new != old:
                w[j] = new
                residual -= H[j] * (new - old)
                change = max(change, abs(new - old) * unit[j])
        if sweep % 5 == 0:
            signs = np.sign(w).astype(np.int8).tobytes()
            if signs != tried:
                tried = signs
                exact = _solve_support(H, g, l1, w)
                if exact is not None:
                    return exact, True
            if change <= TOLERANCE * max(size, 1e-300):
                return w, True
            residual = g - H @ w  # drop the rounding of the updates
    return w, False


def _solve_support(H: Array, g: Array, l1: Array, w: Array) -> Array | None:
    """The optimum if it has the signs of w, else None."""
    (support,) = np.nonzero((w != 0) | ((l1 == 0) & (np.diag(H) > 0)))
    exact = np.zeros_like(w)
    if support.size:
        signs = np.where(l1[support] > 0, np.sign(w[support]), 0.0)
        unit = np.sqrt(np.diag(H)[support])
        E = H[np.ix_(support, support)] / np.outer(unit, unit)
        try:
            np.linalg.cholesky(E - 1e-12 * np.eye(support.size))
            solved = np.linalg.solve(E, (g[support] - l1[support] * signs) / unit) / unit
        except np.linalg.LinAlgError:
            return None
        if np.any((signs != 0) & (np.sign(solved) != signs)):
            return None
        exact[support] = solved
    residual = g - H @ exact
    slack = 1e-10 * (np.abs(H) @ np.abs(exact) + np.abs(g) + l1)
    off = np.ones(w.size, dtype=bool)
    off[support] = False
    return exact if np.all(np.abs(residual[off]) <= l1[off] + slack[off]) else None

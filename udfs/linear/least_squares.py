"""From the sums of a linear regression to its fit."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from mlpond.udfs.design import Array
from mlpond.udfs.linear.coordinate_descent import coordinate_descent
from mlpond.udfs.linear.descent import as_iterations, descend_quadratic
from mlpond.udfs.linear.fit import DESIGN_COLUMNS, Design, Fit, Inference, Iteration, Options
from mlpond.udfs.linear.inference import (
    coefficient_tests,
    joint_root,
    orthonormal_design,
    shrunken_root,
    to_raw_root,
)
from mlpond.udfs.linear.path import linear_path
from mlpond.udfs.linear.solve import Solution, solve
from mlpond.udfs.linear.summary import Summary
from mlpond.udfs.linear.warn import constant_warnings, dependence_warnings, not_converged

Judge = Callable[[Array, float], float]  # (weights, intercept) → mean squared error held out


@dataclass(frozen=True)
class Refined:
    """A solution to the last digit, as iterative refinement gives it.

    Attributes:
        raw: Weights of the raw columns, shape (p,).
        raw_intercept: To go with them.
        w: Weights of the standardised columns, shape (p,).
        intercept: To go with them.
        rss: Sum of squared residuals.
    """

    raw: Array
    raw_intercept: float
    w: Array
    intercept: float
    rss: float


def one_solution(summary: Summary, options: Options) -> Solution:
    """The weights without an l1 penalty, and the condition number."""
    return solve(summary.problem, options.l2_reg)


def squared_error(matrix: Array, is_root: bool, weight: float, summary: Summary) -> Judge:
    """The mean squared error of any weights, on the rows behind M'M (or its root)."""

    def judge(w: Array, intercept: float) -> float:
        start = [intercept - summary.label_shift] if summary.fit_intercept else []
        v = np.r_[start, w / summary.scaling.scale, -1.0]  # M v = -residual
        image = matrix @ v
        return float(image @ image if is_root else v @ image) / weight

    return judge


def fit_least_squares(
    summary: Summary,
    solution: Solution,
    options: Options,
    passes: int,
    warm_start: tuple[Array, Array] | None,
    judge: Judge | None,
    refined: Refined | None = None,
) -> Fit:
    """The fit by the method that the options ask for."""
    if options.regularization_path:
        options, path = linear_path(summary, options, judge)
        solution = solve(summary.problem, options.l2_reg)
        fit = fit_least_squares(summary, solution, options, passes, None, judge)
        return replace(fit, path=path)
    converged = True
    iterations: tuple[Iteration, ...] | None = None
    l1, l2 = options.l1_reg, options.l2_reg
    w = solution.w
    intercept = summary.intercept(w)
    if options.descends:
        w, intercept, iterations, converged = _descend(summary, options, warm_start, judge)
    elif l1 > 0:
        H = summary.problem.H + l2 * np.eye(w.size)
        H[:, ~summary.problem.usable] = 0.0
        penalty = np.full(w.size, l1)
        w, converged = coordinate_descent(H, summary.problem.g, penalty, np.zeros(w.size))
        intercept = summary.intercept(w)
    if refined is not None:
        w, intercept, rss = refined.w, refined.intercept, refined.rss
    else:
        rss = _rss(summary, w, intercept)
    mse = rss / summary.weight
    if iterations is None:
        eval_loss = judge(w, intercept) if judge else None
        iterations = (Iteration(0, mse, eval_loss, None),)
    raw, raw_intercept = summary.scaling.to_raw(w[None, :], np.array([intercept]))
    if refined is not None:
        raw, raw_intercept = refined.raw[None, :], np.array([refined.raw_intercept])
    if not options.fit_intercept:
        raw_intercept = np.zeros(1)
    objective = rss / 2 + l1 * float(np.sum(np.abs(w))) + l2 / 2 * float(w @ w)
    warnings = constant_warnings(summary.constant) + dependence_warnings(solution, options)
    if not converged:
        warnings.append(not_converged(options, len(iterations)))
    inference = None
    if options.calculate_p_values:
        of_slopes = summary.rss(w) if refined is None else rss
        inference = _inference(
            summary, solution, options, w, intercept, raw[0], raw_intercept[0], of_slopes
        )
    return Fit(
        raw, raw_intercept, w[None, :], np.array([intercept]), summary.rows, summary.weight, mse,
        objective, iterations, converged, solution.condition_number,
        tuple(warnings), inference, passes, _design(summary, solution, options),
    )  # fmt: skip


def _rss(summary: Summary, w: Array, intercept: float) -> float:
    """At any intercept: what it is off the best one adds its square for every row."""
    off = (intercept - summary.intercept(w)) if summary.fit_intercept else 0.0
    return summary.rss(w) + summary.weight * off * off


def _descend(
    summary: Summary,
    options: Options,
    warm_start: tuple[Array, Array] | None,
    judge: Judge | None,
) -> tuple[Array, float, tuple[Iteration, ...], bool]:
    """Gradient descent over (w, intercept less the label shift)."""
    H, g, m, n = summary.problem.H, summary.problem.g, summary.mean, summary.weight
    p, first = g.size, int(summary.fit_intercept)
    A = np.zeros((p + first, p + first))
    A[:p, :p] = H + n * np.outer(m, m)
    b = np.zeros(p + first)
    b[:p] = g + n * m * summary.label_mean
    if first:
        A[:p, p] = A[p, :p] = n * m
        A[p, p] = n
        b[p] = n * summary.label_mean
    c = summary.total + n * summary.label_mean**2
    start = np.zeros(p + first)
    if first:
        start[p] = -summary.label_shift  # an intercept of 0
    if warm_start is not None:
        w0, c0 = summary.scaling.to_standardised(*warm_start)
        start[:p] = w0[0]
        start[p:] = c0[0] - summary.label_shift
    l1, l2 = np.zeros(p + first), np.zeros(p + first)
    l1[:p], l2[:p] = options.l1_reg, options.l2_reg
    t, log, converged = descend_quadratic(A, b, c, n, l1, l2, start, options)

    def intercept_of(t: Array) -> float:
        return float(t[p]) + summary.label_shift if first else 0.0

    evals = [judge(t[:p], intercept_of(t)) if judge else None for _, _, t in log]
    return t[:p], intercept_of(t), as_iterations(log, evals), converged


def _inference(
    summary: Summary,
    solution: Solution,
    options: Options,
    w: Array,
    intercept: float,
    raw: Array,
    raw_intercept: float,
    rss: float,
) -> Inference:
    """t tests and measures of fit; the error variance of a row is variance / weight."""
    n = summary.rows
    inverse = solution.inverse_root
    slopes = inverse.shape[1] - _nulls(summary)
    k = slopes + int(summary.fit_intercept)
    df = n - k
    at = summary.weight if summary.fit_intercept else None
    joint = joint_root(inverse, summary.mean, at)
    if options.l2_reg > 0:
        joint = shrunken_root(joint, summary.problem.H, summary.mean, at)
    variance = rss / df if df > 0 else math.nan
    raw_root = to_raw_root(joint, summary.scaling)
    if not summary.fit_intercept:
        raw_root[-1] = 0.0
    level = options.confidence_level
    tests = [
        coefficient_tests(r, np.r_[b, b0], variance, df, level)
        for r, b, b0 in ((raw_root, raw, raw_intercept), (joint, w, intercept))
    ]
    explained = 1.0 - rss / summary.total if summary.total > 0 else math.nan
    llf = -n / 2 * (math.log(2 * math.pi) + _log(rss / n) + 1.0) + summary.log_weight / 2
    adjusted = f = math.nan
    if df > 0:
        adjusted = 1.0 - (1.0 - explained) * (n - int(summary.fit_intercept)) / df
        if slopes and variance > 0:
            f = (summary.total - rss) / slopes / variance
    return Inference(
        tests[0], tests[1], df, llf, 2 * k - 2 * llf, math.log(n) * k - 2 * llf,
        math.sqrt(variance) if df > 0 else math.nan, explained, adjusted, f, slopes,
    )  # fmt: skip


def _design(summary: Summary, solution: Solution, options: Options) -> Design | None:
    """The orthonormal columns of the fit, where standard errors follow from them."""
    if options.l1_reg > 0 or options.l2_reg > 0 or options.descends:
        return None
    if summary.layout.width > DESIGN_COLUMNS:
        return None
    root = solution.inverse_root
    length = np.sqrt(np.maximum(np.diag(summary.problem.H), 0.0))
    if summary.problem.root is not None:
        length = np.linalg.norm(summary.problem.root, axis=0)
    return orthonormal_design(
        root,
        root.shape[1] - _nulls(summary),
        np.where(summary.problem.usable, length, 0.0),
        summary.mean,
        summary.scaling,
        options.fit_intercept,
    )


def _nulls(summary: Summary) -> int:
    """Dimensions that one-hot columns have too many."""
    nulls = summary.problem.nulls[summary.problem.usable]
    return int(np.sum(np.any(nulls != 0, axis=0)))


def _log(x: float) -> float:
    return math.log(x) if x > 0 else -math.inf

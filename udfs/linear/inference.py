"""Standard errors, tests and intervals of coefficients, and measures of fit.

Throughout: C the (p, p) inverse of the centred cross-product (or Hessian) of the standardised
columns, m (p,) the means of those columns, n the sum of the weights. The covariance of
(w, intercept) then is

    [ C      -C m          ]
    [ -m'C   1/n + m'C m   ]   times the error variance.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import fields

import numpy as np

from mlpond.udfs.design import Array
from mlpond.udfs.linear.fit import CoefficientTests, Design, Scaling
from mlpond.udfs.special import (
    normal_quantile_two_sided,
    normal_two_sided,
    student_t_quantile_two_sided,
    student_t_two_sided,
)


def joint_root(inverse_root: Array, mean: Array, weight: float | None) -> Array:
    """L with L L' the covariance of (w, intercept) without its variance factor.

    Args:
        inverse_root: L with L L' = C, shape (p, r).
        mean: m, shape (p,).
        weight: n, or None where no intercept is fitted.

    Returns:
        Shape (p + 1, r + 1); the last row is 0 without an intercept.
    """
    p, r = inverse_root.shape
    joint = np.zeros((p + 1, r + 1))
    joint[:p, :r] = inverse_root
    if weight is not None:
        joint[p, :r] = -(mean @ inverse_root)
        joint[p, r] = math.sqrt(1.0 / weight)
    return joint


def shrunken_root(joint: Array, H: Array, mean: Array, weight: float | None) -> Array:
    """The root of A⁻¹ J A⁻¹, with A penalised and J not: the covariance under an l2 penalty.

    Args:
        joint: L with L L' = A⁻¹, as joint_root gives it.
        H: Centred cross-product without the penalty, shape (p, p).
        mean: m, shape (p,).
        weight: n, or None where no intercept is fitted.
    """
    p = mean.size
    J = np.zeros((p + 1, p + 1))
    J[:p, :p] = H
    if weight is not None:
        J[:p, :p] += weight * np.outer(mean, mean)
        J[:p, p] = J[p, :p] = weight * mean
        J[p, p] = weight
    values, vectors = np.linalg.eigh(joint.T @ J @ joint)
    return np.asarray(joint @ (vectors * np.sqrt(np.maximum(values, 0.0))))


def to_raw_root(joint: Array, scaling: Scaling) -> Array:
    """The root for the coefficients of the raw columns."""
    raw = joint.copy()
    raw[:-1] /= scaling.scale[:, None]
    raw[-1] -= scaling.shift @ raw[: scaling.shift.size]
    return raw


def orthonormal_design(
    inverse_root: Array, rank: int, length: Array, mean: Array, scaling: Scaling, intercept: bool
) -> Design:
    """The map from raw columns to as many orthonormal ones as the rank.

    Args:
        inverse_root: L with L L' = C, shape (p, r); where one-hot columns are complete, r is more
            than the rank.
        rank: Of the centred columns.
        length: Root of the sum of squares of every centred, standardised column, shape (p,).
        mean: m, shape (p,).
        scaling: From raw to standardised columns.
        intercept: Whether one is fitted.
    """
    unit = np.where(length > 0, length, 1.0)
    # Of columns of length 1, X L is orthonormal but for directions that L maps to 0. Those have
    # singular values near eps, the others at least 1 / sqrt(p).
    u, s, _ = np.linalg.svd(unit[:, None] * inverse_root, full_matrices=False)
    root = (u * s)[:, :rank] / (unit * scaling.scale)[:, None]  # (p, rank)
    root[length == 0] = 0.0
    center = mean * scaling.scale
    center[: scaling.shift.size] += scaling.shift
    return Design(root, center, (length * scaling.scale) ** 2, intercept)


def coefficient_tests(
    root: Array, estimate: Array, variance: float, df: float, level: float
) -> CoefficientTests:
    """Tests of every coefficient against 0.

    Args:
        root: L with L L' the covariance without its variance factor, shape (p + 1, r).
        estimate: Coefficients, the intercept last, shape (p + 1,).
        variance: The factor: of the errors, or 1.
        df: Degrees of freedom of Student's t, or inf for the normal distribution.
        level: Confidence level.
    """
    length = np.linalg.norm(root, axis=1)
    known = length > 0  # a constant column has no standard error
    se = np.where(known, length * math.sqrt(variance) if variance >= 0 else math.nan, math.nan)
    covariance = variance * (root @ root.T)
    covariance[~known] = math.nan
    covariance[:, ~known] = math.nan
    return _tests(covariance, se, estimate, df, level)


def rescaled_tests(
    tests: CoefficientTests, estimate: Array, variance: float, df: float, level: float
) -> CoefficientTests:
    """The same tests where the variance factor, 1 before, is known."""
    factor = math.sqrt(variance) if variance >= 0 else math.nan
    se = tests.standard_error * factor
    return _tests(tests.covariance * variance, se, estimate, df, level)


def without(tests: CoefficientTests, columns: Sequence[int]) -> CoefficientTests:
    """The same tests with nan for some coefficients, of which nothing can be said."""
    gone = list(columns)
    arrays = {f.name: getattr(tests, f.name).copy() for f in fields(tests)}
    for values in arrays.values():
        values[gone] = math.nan
    arrays["covariance"][:, gone] = math.nan
    return CoefficientTests(**arrays)


def _tests(
    covariance: Array, se: Array, estimate: Array, df: float, level: float
) -> CoefficientTests:
    with np.errstate(divide="ignore", invalid="ignore"):
        statistic = estimate / se
    normal = normal_two_sided(statistic)
    if math.isinf(df):
        p_value, reach = normal, normal_quantile_two_sided(level)
    else:
        p_value = student_t_two_sided(statistic, df)
        reach = student_t_quantile_two_sided(level, df)
    lower, upper = estimate - reach * se, estimate + reach * se
    return CoefficientTests(covariance, se, statistic, p_value, normal, lower, upper)

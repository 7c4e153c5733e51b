"""Batch gradient descent as BigQuery ML describes it: one full gradient and one step an iteration.

The step goes along the gradient of the mean objective of the standardised columns, so that
a learning rate means the same whatever the number of rows; an l1 penalty acts by
soft thresholding (proximal gradient).
"""

from __future__ import annotations

import math

import numpy as np

from mlpond.udfs.design import Array
from mlpond.udfs.linear.fit import Iteration, Options

TRIED = (2.0, 1.0, 0.5, 0.25)  # multiples of the last rate that LINE_SEARCH tries


def first_rate(options: Options) -> float:
    """The rate that the first step starts from."""
    searches = options.learn_rate_strategy == "LINE_SEARCH"
    return options.ls_init_learn_rate if searches else options.learn_rate


def candidate_rates(options: Options, rate: float) -> tuple[float, ...]:
    """The rates to try from the last one."""
    if options.learn_rate_strategy == "CONSTANT":
        return (rate,)
    return tuple(rate * multiple for multiple in TRIED)


def soft_threshold(x: Array, by: Array) -> Array:
    """x moved towards 0 by so much, and no further."""
    return np.sign(x) * np.maximum(np.abs(x) - by, 0.0)


def descend_quadratic(
    A: Array,
    b: Array,
    c: float,
    weight: float,
    l1: Array,
    l2: Array,
    start: Array,
    options: Options,
) -> tuple[Array, tuple[tuple[float, float, Array], ...], bool]:
    """Gradient descent for squared error, from its sums alone.

        F(t) = (1/2 (t'At - 2 b't + c) + sum_j l1_j |t_j| + 1/2 sum_j l2_j t_j²) / weight

    Args:
        A: Cross-product of the columns, shape (k, k).
        b: Cross-product with the label, shape (k,).
        c: Sum of squares of the label.
        weight: Sum of the row weights.
        l1: Penalty of each coefficient, shape (k,).
        l2: Penalty of each coefficient, shape (k,).
        start: Where to begin, shape (k,).
        options: Rates and when to stop.

    Returns:
        The coefficients; mean squared error, rate and coefficients of each iteration; whether
        the stopping rule was met.
    """

    def mean_squared_error(t: Array) -> float:
        return float(t @ (A @ t) - 2.0 * (b @ t) + c) / weight

    def objective(t: Array) -> float:
        return mean_squared_error(t) / 2.0 + float(l1 @ np.abs(t) + l2 @ (t * t) / 2.0) / weight

    t, rate, before = start, first_rate(options), objective(start)
    log = []
    for _ in range(options.max_iterations or 20):
        gradient = (A @ t - b + l2 * t) / weight
        rates = candidate_rates(options, rate)
        points = [soft_threshold(t - r * gradient, r * l1 / weight) for r in rates]
        values = [objective(point) for point in points]
        best = int(np.argmin(values))
        t, rate, after = points[best], rates[best], values[best]
        if not math.isfinite(after):
            raise ValueError(
                f"linear_reg: gradient descent diverged at learning rate {rate:g}; "
                "pass a smaller learn_rate or learn_rate_strategy = 'LINE_SEARCH'."
            )
        log.append((mean_squared_error(t), rate, t))
        if options.stops(before, after):
            return t, tuple(log), True
        before = after
    return t, tuple(log), False


def as_iterations(
    log: tuple[tuple[float, float, Array], ...], eval_losses: list[float | None]
) -> tuple[Iteration, ...]:
    """The training log in its public form."""
    return tuple(
        Iteration(i, loss, eval_loss, rate)
        for i, ((loss, rate, _), eval_loss) in enumerate(zip(log, eval_losses, strict=True))
    )

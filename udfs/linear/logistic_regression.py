"""Logistic regression, of two classes or more.

Two classes: one weight vector, whose score is the log odds of class 1. More: one weight vector per
class, cross-entropy of the softmax. Few coefficients are fitted by Newton's method, many by L-BFGS
(OWL-QN under an l1 penalty).
"""

from __future__ import annotations

from typing import Any

from mlpond.udfs.design import Array, Layout
from mlpond.udfs.linear.fit import Moments, Options
from mlpond.udfs.linear.newton import NewtonPass
from mlpond.udfs.linear.quasi_newton import quasi_newton
from mlpond.udfs.linear.sample import SamplePass
from mlpond.udfs.linear.task import Task
from mlpond.udfs.trainer import Pass

NEWTON = 1500  # coefficients up to which a Hessian pays
NEWTON_CLASSES = 10  # beyond, K² products of columns cost more than the passes they save
SAMPLED_FROM = 200_000  # rows from which a sample gives the start
SAMPLE_ROWS = 100_000  # and so many rows of it suffice
ROWS_PER_COEFFICIENT = 500


def logistic_regression(
    layout: Layout,
    moments: Moments,
    options: Options | None = None,
    classes: int = 2,
    warm_start: tuple[Array, Array] | None = None,
) -> Pass[Any]:
    """The first pass of a logistic regression.

    Args:
        layout: The columns of the blocks.
        moments: Mean, standard deviation and number of the training rows.
        options: How to fit.
        classes: Number of classes; labels are 0 to classes - 1. With two, 1 is the positive one.
        warm_start: Coefficients (C, p) and intercepts (C,) of the raw columns to begin at.
    """
    options = options or Options()
    if classes < 2:
        raise ValueError(f"logistic_reg: the label has {classes} class; it needs two or more.")
    if options.calculate_p_values and classes > 2:
        raise ValueError(
            f"logistic_reg: calculate_p_values needs two classes, but the label has {classes}; "
            "leave it FALSE."
        )
    if options.optimize_strategy == "NORMAL_EQUATION":
        raise ValueError(
            "logistic_reg: optimize_strategy 'NORMAL_EQUATION' is for linear_reg; pass "
            "'AUTO_STRATEGY' or 'BATCH_GRADIENT_DESCENT'."
        )
    kind, C = ("logistic", 1) if classes == 2 else ("softmax", classes)
    coefficients = C * (layout.width + 1)
    if options.descends or coefficients > NEWTON or classes > NEWTON_CLASSES:
        return quasi_newton(kind, layout, moments, options, C, warm_start)
    task = Task(kind, layout, moments, options, C)
    wanted = max(SAMPLE_ROWS, ROWS_PER_COEFFICIENT * coefficients)
    if warm_start is None and moments.rows > max(SAMPLED_FROM, 4 * wanted):
        return SamplePass(task, wanted / moments.rows)
    return NewtonPass(task, task.start(warm_start))

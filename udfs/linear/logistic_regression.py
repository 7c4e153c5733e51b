"""Logistic regression, of two classes or more.

Two classes: one weight vector, whose score is the log odds of class 1. More: one weight vector per
class, cross-entropy of the softmax.
"""

from __future__ import annotations

from typing import Any

from mlpond.udfs.design import Array, Layout
from mlpond.udfs.linear.fit import Moments, Options
from mlpond.udfs.linear.losses import LOGISTIC, SOFTMAX, Loss
from mlpond.udfs.linear.minimise import minimise
from mlpond.udfs.linear.path import path_pass
from mlpond.udfs.linear.task import Task
from mlpond.udfs.trainer import Pass


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
    loss: Loss = LOGISTIC if classes == 2 else SOFTMAX
    task = Task(loss, layout, moments, options, 1 if classes == 2 else classes)
    if options.regularization_path:
        return path_pass(task, task.start(None))
    return minimise(task, task.start(warm_start), warm_start is not None)

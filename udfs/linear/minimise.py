"""Which minimiser a loss of linear scores is given to."""

from __future__ import annotations

from typing import Any

from mlpond.udfs.design import Array
from mlpond.udfs.linear.newton import NewtonPass
from mlpond.udfs.linear.quasi_newton import quasi_newton
from mlpond.udfs.linear.sample import SamplePass
from mlpond.udfs.linear.task import Task
from mlpond.udfs.trainer import Pass

NEWTON = 1500  # coefficients up to which a Hessian pays
NEWTON_CLASSES = 10  # beyond, K² products of columns cost more than the passes they save
SAMPLED_FROM = 200_000  # rows from which a sample gives the start
SAMPLE_ROWS = (100_000, 400_000)  # and a tenth of the rows, within these bounds, is the sample
ROWS_PER_COEFFICIENT = 500


def minimise(task: Task, theta: Array, is_warm: bool = False) -> Pass[Any]:
    """The first pass from theta.

    Few coefficients are fitted by Newton's method, many by L-BFGS (OWL-QN under an l1 penalty).

    Args:
        task: What to minimise.
        theta: Where to begin, shape (C, p + 1).
        is_warm: Whether theta is likely to be near the optimum, so that no sample is fitted first.
    """
    if task.options.descends or theta.size > NEWTON or task.classes > NEWTON_CLASSES:
        return quasi_newton(task, theta)
    tenth = min(max(task.moments.rows // 10, SAMPLE_ROWS[0]), SAMPLE_ROWS[1])
    wanted = max(tenth, ROWS_PER_COEFFICIENT * theta.size)
    if not is_warm and task.moments.rows > max(SAMPLED_FROM, 4 * wanted):
        return SamplePass(task, wanted / task.moments.rows, theta)
    return NewtonPass(task, theta)

"""Where to begin: the optimum of a sample.

With 5M rows and 20 columns, Newton's method from zero takes six passes. From the optimum of
400,000 rows it takes two: there F is off by about 3 parts in 10⁵ (p / 2 m for p coefficients and
m rows), after one step on all rows by the square of that. What the sample knows of the loss beyond
the quadratic spares the second (surrogate.py).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from mlpond.udfs.design import Array, Block
from mlpond.udfs.linear.fit import Fit
from mlpond.udfs.linear.newton import NewtonPass
from mlpond.udfs.linear.surrogate import THREADS, Surrogate
from mlpond.udfs.linear.task import Task
from mlpond.udfs.trainer import KeptBlocks, Pass, fold

ENOUGH = 1e-5  # relative progress at which more work on the sample is lost on all rows
FIRST = 4  # the first so manieth part of the sample is fitted before all of it
RIDGE = 1.0  # keeps the weights of what is separable in the sample alone from running away


@dataclass(frozen=True)
class SamplePass(KeptBlocks):
    """Keeps the blocks that it is given, and fits them when all are there.

    One scan is enough, however many steps the sample takes. The state is the sample itself: its
    size is bounded by the share asked for.
    """

    task: Task
    sample: float | None
    begin: Array

    @property
    def evaluation(self) -> None:
        """Nothing is logged."""
        return

    def finish(self, state: tuple[Block, ...], evaluation: object = None) -> NewtonPass:
        """The first pass over all rows."""
        task = self.task
        theta = self.begin.copy()
        rows = sum(block.rows for block in state)
        if _is_representative(state, task.classes):
            share = rows / max(task.moments.rows, rows)
            options = replace(
                task.options,
                l1_reg=share * task.options.l1_reg,
                l2_reg=share * task.options.l2_reg + RIDGE,
                calculate_p_values=False,
                early_stop=True,
                min_rel_progress=ENOUGH,
                max_iterations=8,
            )
            theta, converged = self._fitted(replace(task, options=options), theta, state)
            if converged and task.options.l1_reg == 0:
                return NewtonPass(task, theta, passes=2, surrogate=Surrogate.of(state))
        return NewtonPass(task, theta, passes=2)

    def _fitted(self, task: Task, theta: Array, blocks: tuple[Block, ...]) -> tuple[Array, bool]:
        """The optimum of the sample; a few of its blocks lead near it first."""
        few = blocks[: max(1, len(blocks) // FIRST)]
        for rows in (few, blocks):
            share = sum(b.rows for b in rows) / max(sum(b.rows for b in blocks), 1)
            options = replace(
                task.options,
                l1_reg=share * task.options.l1_reg,
                l2_reg=share * (task.options.l2_reg - RIDGE) + RIDGE,
            )
            step: object = NewtonPass(replace(task, options=options), theta)
            while isinstance(step, Pass):
                step = step.finish(fold(step, rows, THREADS))
            if not (isinstance(step, Fit) and step.converged):
                return self.begin, False
            theta = np.c_[step.standardised, step.standardised_intercept]
        return theta, True


def _is_representative(blocks: tuple[Block, ...], classes: int) -> bool:
    """Whether the label varies in the sample, and no class is missing."""
    if classes > 1:
        return len({int(c) for block in blocks for c in np.unique(block.y)}) >= classes
    lows = [float(block.y.min()) for block in blocks if block.rows]
    return bool(lows) and min(lows) < max(float(block.y.max()) for block in blocks if block.rows)

"""The regularisation path: one fit after another, from a penalty that leaves nothing to none.

    minimise  sum of losses + lambda (r ||w||_1 + (1 - r) / 2 ||w||²)        r = l1_ratio

The grid is logarithmic, from the least lambda at which all weights are 0, max |gradient| / r, down
to a share of it. Each fit begins at the one before, which is near. Of all, the one with the least
loss on the rows held out is the model; without such rows the one with the least

    BIC = 2 · sum of losses + df log n      n log(sum of losses / n) + df log n

(the right one where the losses have a unit, as squared error has)

with df the number of weights that are not 0, which is unbiased for the lasso.
Sources: Friedman, Hastie & Tibshirani (2010), J. Stat. Softw. 33(1), sections 2.5 and 3; Zou,
Hastie & Tibshirani (2007), "On the degrees of freedom of the lasso", Annals of Statistics 35.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from mlpond.udfs.design import Array, Block, Layout
from mlpond.udfs.linear.coordinate_descent import coordinate_descent
from mlpond.udfs.linear.fit import Fit, Moments, Options, PathStep
from mlpond.udfs.linear.losses import SQUARED, Loss
from mlpond.udfs.linear.minimise import minimise
from mlpond.udfs.linear.newton import NewtonPass, Sums
from mlpond.udfs.linear.summary import Summary
from mlpond.udfs.linear.task import Task, check_sums
from mlpond.udfs.trainer import Pass, Then, WithoutColumns

LEAST = (1e-4, 1e-2)  # share of the largest lambda at the end; the second with few rows
RIDGE = 1e-3  # l1_ratio below which the largest lambda is that of this one
EXPLAINED = 0.999  # share of the null loss that is explained, at which the path ends
Judge = Callable[[Array, float], float]


def grid(largest: float, options: Options, rows: int, columns: int) -> Array:
    """The lambdas, falling, where `largest` is the greatest |gradient| without weights."""
    # by a rounding above it, so that the first fit has no weight
    top = largest * (1.0 + 4e-16) / max(options.l1_ratio, RIDGE)
    share = LEAST[0] if rows > columns else LEAST[1]
    return np.asarray(top * np.geomspace(1.0, share, options.regularization_path))


def at(options: Options, penalty: float) -> Options:
    """The options of one fit of the path."""
    return replace(
        options, l1_reg=penalty * options.l1_ratio, l2_reg=penalty * (1.0 - options.l1_ratio),
        regularization_path=0,
    )  # fmt: skip


def chosen(steps: tuple[PathStep, ...], rows: int, loss: Loss) -> int:
    """Which step is the model."""
    held_out = [step.eval_loss for step in steps]
    if all(loss is not None for loss in held_out):
        return int(np.argmin(np.array(held_out, dtype=np.float64)))
    criteria = []
    for step in steps:
        fit = 2.0 / loss.reported * rows * step.loss
        if loss.has_unit:
            fit = rows * math.log(step.loss) if step.loss > 0 else -math.inf
        criteria.append(fit + step.df * math.log(rows))
    return int(np.argmin(criteria))


def linear_path(
    summary: Summary, options: Options, judge: Judge | None
) -> tuple[Options, tuple[PathStep, ...]]:
    """The path of a linear regression, from its sums alone; and the options of the best fit."""
    problem = summary.problem
    H, g = problem.H.copy(), np.where(problem.usable, problem.g, 0.0)
    H[~problem.usable], H[:, ~problem.usable] = 0.0, 0.0
    penalties = grid(float(np.max(np.abs(g), initial=0.0)), options, summary.rows, g.size)
    w, steps = np.zeros(g.size), []
    for penalty in penalties:
        now = at(options, float(penalty))
        shrunk = H + now.l2_reg * np.eye(g.size)
        shrunk[:, ~problem.usable] = 0.0
        w, _ = coordinate_descent(shrunk, g, np.full(g.size, now.l1_reg), w)
        intercept = summary.intercept(w)
        loss = summary.rss(w) / summary.weight
        raw, raw_intercept = summary.scaling.to_raw(w[None, :], np.array([intercept]))
        steps.append(
            PathStep(
                now.l1_reg, now.l2_reg, int(np.count_nonzero(w)), loss,
                judge(w, intercept) if judge else None, raw, raw_intercept,
            )
        )  # fmt: skip
        if loss <= (1.0 - EXPLAINED) * summary.total / summary.weight:
            break
    return _pick(options, tuple(steps), summary.rows, SQUARED)


def _pick(
    options: Options, steps: tuple[PathStep, ...], rows: int, loss: Loss
) -> tuple[Options, tuple[PathStep, ...]]:
    best = chosen(steps, rows, loss)
    marked = tuple(replace(step, is_chosen=k == best) for k, step in enumerate(steps))
    return replace(
        options, l1_reg=steps[best].l1_reg, l2_reg=steps[best].l2_reg, regularization_path=0
    ), marked


def path_pass(task: Task, theta: Array) -> Pass[Any]:
    """The first pass of the path of any loss; theta (C, p + 1) has the first intercepts.

    The null model comes first, then its gradient, which tells the largest lambda.
    """
    plain = Options(fit_intercept=task.options.fit_intercept, max_iterations=100)

    def gradient(null: Fit) -> Pass[Any]:
        begin = task.start(None)
        begin[:, -1] = null.standardised_intercept
        return GradientPass(replace(task, options=plain), begin, null.objective, task.options)

    if not task.options.fit_intercept:
        return GradientPass(replace(task, options=plain), task.start(None), math.inf, task.options)
    moments = Moments(np.empty(0), np.empty(0), task.moments.rows)
    null = Task(task.loss, Layout(0), moments, plain, task.classes)
    return Then(WithoutColumns(NewtonPass(null, theta[:, -1:])), gradient)


@dataclass(frozen=True)
class GradientPass:
    """The gradient at the null model theta.

    Attributes:
        task: Without penalties.
        theta: Intercepts alone, shape (C, p + 1).
        null_loss: Sum of losses there; inf to take that of this pass.
        options: Of the path.
    """

    task: Task
    theta: Array
    null_loss: float
    options: Options
    sample: float | None = None

    @property
    def evaluation(self) -> None:
        """Nothing is logged."""
        return

    @property
    def _sums(self) -> NewtonPass:
        return NewtonPass(self.task, self.theta)

    def start(self) -> Sums:
        """No rows."""
        return self._sums.start()

    def step(self, state: Sums, block: Block) -> Sums:
        """Add a block."""
        return self._sums.step(state, block)

    def merge(self, a: Sums, b: Sums) -> Sums:
        """Add two sums."""
        return self._sums.merge(a, b)

    def finish(self, state: Sums, evaluation: object = None) -> Pass[Any] | Fit:
        """The first fit of the path."""
        check_sums(self.task, state.rows, state.weight, state.loss)
        slope = state.gradient[:, :-1] / self.task.scaling.scale
        slope[:, ~self.task.varying[:-1]] = 0.0
        largest = float(np.max(np.abs(slope), initial=0.0))
        task = replace(self.task, options=self.options)
        penalties = grid(largest, self.options, state.rows, task.layout.width)
        return Search(task, penalties, min(state.loss, self.null_loss)).onwards(self.theta)


@dataclass(frozen=True)
class Search:
    """The fits so far.

    Attributes:
        task: With the options of the path.
        penalties: The lambdas.
        null_loss: Sum of losses without weights.
        steps: What was found.
        fits: Their fits.
        passes: Scans made.
    """

    task: Task
    penalties: Array
    null_loss: float
    steps: tuple[PathStep, ...] = ()
    fits: tuple[Fit, ...] = ()
    passes: int = 2

    def onwards(self, theta: Array) -> Pass[Any]:
        """The next fit, from the one before."""
        options = at(self.task.options, float(self.penalties[len(self.steps)]))
        first = minimise(replace(self.task, options=options), theta, is_warm=True)
        return Then(first, self._found)

    def _found(self, fit: Fit) -> Pass[Any] | Fit:
        last = fit.iterations[-1]
        options = at(self.task.options, float(self.penalties[len(self.steps)]))
        step = PathStep(
            options.l1_reg, options.l2_reg, int(np.count_nonzero(fit.standardised)), fit.loss,
            last.eval_loss, fit.coefficients, fit.intercept,
        )  # fmt: skip
        search = replace(
            self, steps=(*self.steps, step), fits=(*self.fits, fit), passes=self.passes + fit.passes
        )
        loss = fit.loss * fit.weight / self.task.loss.reported
        if len(search.steps) < self.penalties.size and loss > (1.0 - EXPLAINED) * self.null_loss:
            return search.onwards(np.c_[fit.standardised, fit.standardised_intercept])
        return search.best(fit.rows)

    def best(self, rows: int) -> Fit:
        """The fit that is the model, with the path."""
        _, steps = _pick(self.task.options, self.steps, rows, self.task.loss)
        index = next(k for k, step in enumerate(steps) if step.is_chosen)
        return replace(self.fits[index], path=steps, passes=self.passes)

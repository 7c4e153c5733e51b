"""Newton's method for a loss of linear scores, proximal under an l1 penalty.

Where a loss has the expected curvature for its Hessian, this is Fisher's scoring, which is
iteratively reweighted least squares. One pass evaluates the loss, its gradient and its Hessian at
one point; finish() takes the next step. On large data it begins near the optimum of a sample
(sample.py), which may spare the second pass as well (surrogate.py).

Throughout: theta (C, p + 1), the weights of the standardised columns with the intercept last;
F the objective, d the step. C = 1 for two classes. For K classes C = K, and without an l1 penalty
the step is taken in the K - 1 directions that change the predictions: theta = B phi, B (K, K - 1)
orthonormal with 1'B = 0, so that the weights of every column sum to zero over the classes.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from mlpond.udfs.design import Array, Block, BoolArray
from mlpond.udfs.linear.evaluate import multinomial_sums, score_sums
from mlpond.udfs.linear.fit import Fit, Inference, Iteration
from mlpond.udfs.linear.inference import (
    coefficient_tests,
    joint_root,
    shrunken_root,
    to_raw_root,
    without,
)
from mlpond.udfs.linear.losses import SOFTMAX, loss_and_slope
from mlpond.udfs.linear.newton_step import Step, newton_step
from mlpond.udfs.linear.separation import (
    SEPARATED,
    add_column_weights,
    culprits_among,
    longest,
    slow_steps,
)
from mlpond.udfs.linear.surrogate import Surrogate
from mlpond.udfs.linear.task import Task, check_sums
from mlpond.udfs.linear.warn import (
    constant_warnings,
    dependence_warnings,
    not_converged,
    separated,
)

SUFFICIENT = 1e-4  # Armijo's share of the decrease that the model promises
# A last step needs no check if Newton's squaring leaves less than this share of F. A pass over
# little data is cheap, so there the check is only spared when nothing is left to find.
LAST_STEP = 1e-15
LAST_STEP_SMALL = 1e-24
SMALL = 200_000  # rows
# A sample spares the second pass if what it leaves is less than both: the share of F, and the
# log-likelihood, of which 1e-5 moves the weights by 0.004 standard errors, all of them together.
# It is estimated, and may be so many times as large.
SPARED, SPARED_NATS, SURE = 1e-12, 1e-5, 10.0
PERFECT = 1e-12  # share of the first F below which the fit is perfect
EXACT = 1e-14  # promised gain, as a share of F, that is nothing but rounding
MOST_ITERATIONS = 20


@dataclass
class Sums:
    """Loss, gradient and Hessian at a point, in the shifted columns and the intercept.

    Attributes:
        loss: Sum of losses.
        gradient: Shape (C, p + 1), or empty.
        hessian: Shape (C (p + 1), C (p + 1)), class by class, or empty.
        rows: Number of rows of positive weight.
        weight: Sum of their weights.
        incomplete: Whether some row has no category, for each categorical feature.
        class_weight: Sum of the row weights of each class, shape (max(C, 2),); of a number y
            the sums of v (1 - y) and v y.
        column_weight: Sum of the row weights of every one-hot column, shape (p,); 0 of others.
    """

    loss: float
    gradient: Array
    hessian: Array
    rows: int
    weight: float
    incomplete: BoolArray
    class_weight: Array
    column_weight: Array


@dataclass(frozen=True)
class Base:
    """The last accepted point and the step that is on trial from it.

    Attributes:
        theta: The point, shape (C, p + 1).
        objective: F there.
        step: The step and what it promises.
        length: The share of the step on trial.
        gains: Gains promised so far, newest last.
        slow: Steps in a row that looked like separation: gain by a constant factor, long step.
        first: F where the fit began.
    """

    theta: Array
    objective: float
    step: Step
    length: float
    gains: tuple[float, ...]
    slow: int
    first: float


@dataclass(frozen=True)
class NewtonPass:
    """Evaluates theta; with `last`, only for the Hessian that the p-values need."""

    task: Task
    theta: Array
    base: Base | None = None
    log: tuple[Iteration, ...] = ()
    sample: float | None = None
    passes: int = 1
    loss_only: bool = False
    last: bool = False
    surrogate: Surrogate | None = None

    def at(self, theta: Array) -> NewtonPass:
        """The pass that evaluates another point, with nothing known of it."""
        return NewtonPass(self.task, theta)

    @property
    def evaluation(self) -> NewtonPass | None:
        """The loss alone; the pass for the p-values is not logged."""
        return None if self.last else replace(self, loss_only=True)

    def start(self) -> Sums:
        """No rows."""
        size = self.theta.size
        layout = self.task.layout
        return Sums(
            0.0,
            np.zeros((0,) if self.loss_only else self.theta.shape),
            np.zeros((0,) if self.loss_only else (size, size)),
            0, 0.0, np.zeros(len(layout.cardinalities), dtype=bool),
            np.zeros(max(2, self.task.classes)), np.zeros(layout.width),
        )  # fmt: skip

    def step(self, state: Sums, block: Block) -> Sums:
        """Add a block."""
        if block.rows == 0:
            return state
        task = self.task
        if self.loss_only:
            z = task.scores(block, self.theta)
            state.loss += loss_and_slope(task.loss, z, block.y, block.weight)[0]
        else:
            scaled = self.theta.copy()
            scaled[:, :-1] /= task.scaling.scale
            place = (block, task.layout, task.scaling.shift, scaled)
            if task.loss is SOFTMAX:
                loss, gradient, hessian = multinomial_sums(*place)
            else:
                loss, gradient, hessian = score_sums(*place, task.loss)
            state.loss += loss
            state.gradient += gradient
            state.hessian += hessian
        state.rows += block.counted
        state.weight += block.total_weight
        state.incomplete |= np.array([bool(np.any(codes < 0)) for codes in block.codes], dtype=bool)
        state.class_weight += _class_weights(task, block)
        if block.codes:
            add_column_weights(state.column_weight, task.layout, block)
        return state

    def merge(self, a: Sums, b: Sums) -> Sums:
        """Add two sums."""
        return Sums(
            a.loss + b.loss, a.gradient + b.gradient, a.hessian + b.hessian, a.rows + b.rows,
            a.weight + b.weight, a.incomplete | b.incomplete, a.class_weight + b.class_weight,
            a.column_weight + b.column_weight,
        )  # fmt: skip

    def finish(self, state: Sums, evaluation: Sums | None = None) -> NewtonPass | Fit:
        """The next point, or the fit."""
        task, base = self.task, self.base
        # on trial a step may leave what the family allows, and is then too long
        on_trial = base is not None and not self.last and state.loss == math.inf
        check_sums(task, state.rows, state.weight, np.zeros(1) if on_trial else state.loss)
        objective = state.loss + task.penalty(self.theta)
        if base is not None and not self.last and not _is_sufficient(base, objective):
            if base.length > 1e-6:
                length = base.length / 2
                point = base.theta + length * base.step.d
                again = replace(base, length=length)
                return replace(self, theta=point, base=again, passes=self.passes + 1)
            there = replace(state, loss=base.objective - task.penalty(base.theta))
            return self._fit(there, base.theta, base.step, self.log, True, ())
        step = newton_step(task, self.theta, state.gradient, state.hessian, ~state.incomplete)
        log = self.log if self.last else self._logged(state, evaluation)
        return self._after(state, objective, step, log)

    def _logged(self, state: Sums, evaluation: Sums | None) -> tuple[Iteration, ...]:
        held_out, task = None, self.task
        if evaluation is not None and evaluation.weight > 0:
            held_out = task.reported(evaluation.loss, evaluation.weight)
        rate = self.base.length if self.base else None
        loss = task.reported(state.loss, state.weight)
        return (*self.log, Iteration(len(self.log), loss, held_out, rate))

    def _after(
        self, state: Sums, objective: float, step: Step, log: tuple[Iteration, ...]
    ) -> NewtonPass | Fit:
        options, base = self.task.options, self.base
        onwards = self.theta + step.d
        if self.last:
            return self._fit(state, onwards, step, log, True, ())
        gains = (*(base.gains if base else ()), step.gain)
        # of a perfect fit nothing but rounding is left of F
        objective_size = max(objective, PERFECT * base.first if base else 0.0)
        share = step.gain / objective_size if objective_size > 0 else 0.0
        before = base.objective if base else math.inf
        slow = 0
        if base is not None and not (options.l1_reg or options.l2_reg):
            slow = slow_steps(base.slow, base.length, step.d, gains)
        diverging = tuple(int(j) for j in longest(step.d)) if slow else ()
        if slow >= 3 and (share < 1e-6 or objective < SEPARATED * state.weight):
            return self._fit(state, self.theta, step, log, False, diverging)
        if options.stops(before, objective):
            return self._fit(state, self.theta, step, log, True, ())
        left = LAST_STEP if state.rows > SMALL else LAST_STEP_SMALL
        if self.task.loss.is_newton:
            is_exact = share <= EXACT
            predicted = _predicted(gains, objective_size)
        else:
            ratio = gains[-1] / gains[-2] if len(gains) > 1 and gains[-2] > 0 else 1.0
            is_exact = share <= (EXACT if ratio > 0.9 else left)
            predicted = share * ratio / (1.0 - ratio) if ratio < 0.9 else math.inf
        if is_exact or (predicted <= left and not slow and not options.l1_reg):
            loss = state.loss - step.loss_gain
            return self._there(self.theta if slow else onwards, step, log, state, loss)
        if base is None and self.surrogate is not None:
            onwards, loss, gap = self.surrogate.improve(self, state, step, ~state.incomplete)
            if SURE * gap <= min(SPARED * objective_size, SPARED_NATS):
                return self._there(onwards, step, log, state, loss)
        limit = options.max_iterations or MOST_ITERATIONS
        if len(log) > limit:
            return self._fit(state, self.theta, step, log, False, diverging)
        first = base.first if base else objective
        following = Base(self.theta, objective, step, 1.0, gains, slow, first)
        return replace(self, theta=onwards, base=following, log=log, passes=self.passes + 1)

    def _there(
        self,
        theta: Array,
        step: Step,
        log: tuple[Iteration, ...],
        state: Sums,
        loss: float,
    ) -> NewtonPass | Fit:
        """The fit at the optimum theta, one step on, or the pass that its p-values need."""
        if self.task.options.calculate_p_values:
            return replace(self, theta=theta, log=log, passes=self.passes + 1, last=True)
        gone = replace(state, loss=max(loss, 0.0))
        return self._fit(gone, theta, step, log, True, ())

    def _fit(
        self,
        state: Sums,
        theta: Array,
        step: Step,
        log: tuple[Iteration, ...],
        converged: bool,
        diverging: tuple[int, ...],
    ) -> Fit:
        task, options = self.task, self.task.options
        warnings = constant_warnings(step.constant) + dependence_warnings(step.solution, options)
        if not converged and diverging:
            curvature = np.diag(state.hessian).reshape(theta.shape).sum(axis=0)
            culprits = culprits_among(diverging, task.layout, curvature, state.column_weight)
            warnings.append(separated(culprits))
        elif not converged:
            warnings.append(not_converged(options, len(log)))
        if task.classes > 1 and options.fit_intercept:
            theta = theta.copy()
            theta[:, -1] -= theta[:, -1].mean()
        inference = None
        if options.calculate_p_values and task.classes == 1:
            inference = self._inference(state, theta, step, diverging)
        return task.fit(
            theta, state.rows, state.weight, state.loss, log, converged,
            step.solution.condition_number, warnings, inference, self.passes,
            step.rank + int(options.fit_intercept),
        )  # fmt: skip

    def _inference(
        self, state: Sums, theta: Array, step: Step, diverging: tuple[int, ...]
    ) -> Inference:
        """Wald tests from the Hessian at theta; none of weights that have no optimum."""
        task, options = self.task, self.task.options
        at = step.free_weight if options.fit_intercept else None
        joint = joint_root(step.solution.inverse_root, step.mean, at)
        if options.l2_reg > 0:
            joint = shrunken_root(joint, step.centred, step.mean, at)
        raw_root = to_raw_root(joint, task.scaling)
        if not options.fit_intercept:
            raw_root[-1] = 0.0
        raw, raw_intercept = task.scaling.to_raw(theta[:, :-1], theta[:, -1])
        tests = [
            coefficient_tests(root, estimate, 1.0, math.inf, options.confidence_level)
            for root, estimate in (
                (raw_root, np.r_[raw[0], raw_intercept]),
                (joint, theta[0]),
            )
        ]
        if diverging:
            tests = [without(test, diverging) for test in tests]
        n = state.weight
        llf = -state.loss
        k = step.rank + int(options.fit_intercept)
        share = state.class_weight / n
        with np.errstate(divide="ignore", invalid="ignore"):
            null = float(np.sum(np.where(share > 0, state.class_weight * np.log(share), 0.0)))
        if not options.fit_intercept:
            null = -n * math.log(2.0)
        return Inference(
            tests[0], tests[1], math.inf, llf, 2 * k - 2 * llf,
            math.log(state.rows) * k - 2 * llf, math.nan,
            1.0 - llf / null if null else math.nan, math.nan, math.nan, step.rank,
        )  # fmt: skip


def _class_weights(task: Task, block: Block) -> Array:
    if task.loss is SOFTMAX:
        counts = np.bincount(block.y.astype(np.intp), block.weight, minlength=task.classes)
        return counts.astype(np.float64)
    ones = float(block.y.sum() if block.weight is None else block.y @ block.weight)
    return np.array([block.total_weight - ones, ones])


def _is_sufficient(base: Base, objective: float) -> bool:
    slack = 1e-13 * abs(base.objective)
    return objective <= base.objective + SUFFICIENT * base.length * base.step.slope + slack


def _predicted(gains: tuple[float, ...], objective: float) -> float:
    """The share of F that the step will leave: c · share², with c as the last two steps had it."""
    if objective <= 0:
        return 0.0
    share = gains[-1] / objective
    if share > 1e-4:
        return math.inf
    before = gains[-2] / objective if len(gains) > 1 else 0.0
    return max(1.0, share / before**2 if before > 0 else 1.0) * share * share

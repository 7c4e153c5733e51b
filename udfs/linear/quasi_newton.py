"""Minimisers that need no Hessian: L-BFGS, OWL-QN under an l1 penalty, and gradient descent.

One pass evaluates loss and gradient at one or more points; finish() chooses the next ones. No
matrix of columns is made, so a million one-hot columns cost a few vectors of that length.

Throughout: theta (C, p + 1); F the objective, f its smooth part without the l1 penalty;
c (p + 1,) a diagonal bound of the Hessian, by which the steps are scaled, so that rare categories
move as fast as common ones.
Source: Nocedal & Wright (2006), algorithm 7.4; Andrew & Gao (2007), "Scalable training of
L1-regularized log-linear models", for OWL-QN.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from mlpond.udfs.design import Array, Block, BoolArray, Layout
from mlpond.udfs.linear.descent import candidate_rates, first_rate, soft_threshold
from mlpond.udfs.linear.fit import Fit, Iteration
from mlpond.udfs.linear.losses import SQUARED, Logistic, Softmax, loss_and_slope
from mlpond.udfs.linear.task import Task, check_sums, shortest
from mlpond.udfs.linear.warn import constant_warnings, not_converged, separated

MEMORY = 10  # pairs of steps and gradient changes that are kept
SUFFICIENT = 1e-4  # Armijo's share of the decrease that the slope promises
GAP = 1e-14  # estimated distance to the optimum, as a share of F, at which to stop
PROGRESS = 1e-11  # stop too after two steps in a row that gain a smaller share
SEPARATED = 1e-5  # mean log loss below which nothing is left to learn
MOST_PASSES = 500


@dataclass
class Evaluation:
    """Loss and gradient at some points.

    Attributes:
        loss: Sum of losses at each point, shape (m,).
        gradient: In the shifted columns and the intercept, shape (m, C, p + 1), or empty.
        squares: Sum of squares of each shifted column, shape (p,), or empty.
        classes: Sum of each one-hot or sparse column over the rows of each class, shape
            (max(C, 2), p), of the first pass of a classifier; or empty.
        rows: Number of rows of positive weight.
        weight: Sum of their weights.
        incomplete: Whether some row has no category, for each categorical feature.
    """

    loss: Array
    gradient: Array
    squares: Array
    classes: Array
    rows: int
    weight: float
    incomplete: BoolArray


@dataclass(frozen=True)
class Memory:
    """The last accepted point and what the next steps are built from.

    Attributes:
        theta: The point.
        loss: Its sum of losses.
        objective: Its F.
        gradient: Of f there, shape (C, p + 1).
        pairs: Steps s and gradient changes y, the newest last.
        c: Diagonal bound of the Hessian, shape (p + 1,).
        direction: The direction on trial.
        length: The multiple of it on trial, or the last rate of gradient descent.
        stalled: Steps in a row that gained next to nothing.
        separated: Columns that some class has no row of.
    """

    theta: Array
    loss: float
    objective: float
    gradient: Array
    pairs: tuple[tuple[Array, Array], ...]
    c: Array
    direction: Array
    length: float
    stalled: int
    separated: tuple[int, ...]


def quasi_newton(task: Task, theta: Array) -> QuasiNewtonPass:
    """The first pass: it evaluates the start theta, shape (C, p + 1)."""
    if task.options.calculate_p_values:
        raise ValueError(
            f"Options: calculate_p_values was asked for with {task.layout.width} columns, for "
            "which no matrix of covariances is made, or with gradient descent, which does not "
            "reach the optimum; use fewer columns and optimize_strategy = 'AUTO_STRATEGY'."
        )
    return QuasiNewtonPass(task, theta[None])


@dataclass(frozen=True)
class QuasiNewtonPass:
    """Evaluates the points, shape (m, C, p + 1)."""

    task: Task
    points: Array
    memory: Memory | None = None
    log: tuple[Iteration, ...] = ()
    passes: int = 1
    rates: tuple[float, ...] = ()
    loss_only: bool = False
    sample: float | None = None

    @property
    def evaluation(self) -> QuasiNewtonPass:
        """The same points, without gradients."""
        return replace(self, loss_only=True)

    def start(self) -> Evaluation:
        """No rows."""
        layout = self.task.layout
        gradient = np.zeros((0,) if self.loss_only else self.points.shape)
        wants_squares = self.memory is None and not self.loss_only
        squares = np.zeros(layout.width if wants_squares else 0)
        incomplete = np.zeros(len(layout.cardinalities), dtype=bool)
        of_classes = wants_squares and isinstance(self.task.loss, Logistic | Softmax)
        classes = np.zeros((max(self.task.classes, 2), layout.width) if of_classes else (0, 0))
        return Evaluation(
            np.zeros(len(self.points)), gradient, squares, classes, 0, 0.0, incomplete
        )

    def step(self, state: Evaluation, block: Block) -> Evaluation:
        """Add a block."""
        if block.rows == 0:
            return state
        task, layout, shift = self.task, self.task.layout, self.task.scaling.shift
        for i, theta in enumerate(self.points):
            z = task.scores(block, theta)
            loss, slope = loss_and_slope(task.loss, z, block.y, block.weight)
            state.loss[i] += loss
            if not self.loss_only:
                state.gradient[i, :, :-1] += block.rmatvec(layout, slope, shift).T
                state.gradient[i, :, -1] += slope.sum(axis=0)
        if state.squares.size:
            weight = np.ones(block.rows) if block.weight is None else block.weight
            state.squares += block.squares(layout, weight, shift)
        if state.classes.size:
            rest = Block(np.empty((block.rows, 0)), block.codes, block.sparse, block.y)
            narrow = Layout(0, layout.cardinalities, layout.sparse_widths)
            for k, sums in enumerate(state.classes):
                sums[layout.dense :] += rest.rmatvec(narrow, weight * (block.y == k))
        state.rows += block.counted
        state.weight += block.total_weight
        state.incomplete |= np.array([bool(np.any(codes < 0)) for codes in block.codes], dtype=bool)
        return state

    def merge(self, a: Evaluation, b: Evaluation) -> Evaluation:
        """Add two sums."""
        return Evaluation(
            a.loss + b.loss, a.gradient + b.gradient, a.squares + b.squares,
            a.classes + b.classes, a.rows + b.rows, a.weight + b.weight,
            a.incomplete | b.incomplete,
        )  # fmt: skip

    def finish(
        self, state: Evaluation, evaluation: Evaluation | None = None
    ) -> QuasiNewtonPass | Fit:
        """The next points, or the fit."""
        task, options = self.task, self.task.options
        check_sums(task, state.rows, state.weight, state.loss)
        objectives = [
            float(loss) + task.penalty(theta)
            for loss, theta in zip(state.loss, self.points, strict=True)
        ]
        best = int(np.argmin(objectives))
        old, theta, objective = self.memory, self.points[best], objectives[best]
        if old is not None and not options.descends and not self._is_sufficient(objective):
            if old.length < 1e-12:  # rounding leaves nothing to gain
                return self._fit(state, old.theta, old.loss, self.log, True, old.separated)
            length = old.length / 2
            return self._try(replace(old, length=length), self.log)
        gradient = self._gradient(state, best)
        c = self._bound(state) if old is None else old.c
        apart = self._apart(state) if old is None else old.separated
        log, before = self.log, math.inf
        if old is not None:
            before = old.objective
            rate = self.rates[best] if self.rates else old.length
            held_out = None
            if evaluation is not None and evaluation.rows:
                held_out = task.reported(float(evaluation.loss[best]), evaluation.weight)
            loss = task.reported(float(state.loss[best]), state.weight)
            log = (*log, Iteration(len(log), loss, held_out, rate))
        stop = self._stop(theta, objective, gradient, c, before, len(log))
        stalled = (old.stalled + 1) if old and before - objective <= PROGRESS * objective else 0
        if stop is not None or (stalled > 1 and not options.descends):
            done = stop in (None, True)
            return self._fit(state, theta, float(state.loss[best]), log, done, apart)
        pairs = _remember(old, theta, gradient)
        if options.descends:
            rate = first_rate(options) if old is None else self.rates[best]
            memory = Memory(
                theta, float(state.loss[best]), objective, gradient, (), c, theta, rate, 0, apart
            )
            return self._descend(memory, log, state.weight)
        direction = self._direction(theta, gradient, pairs, c)
        memory = Memory(
            theta, float(state.loss[best]), objective, gradient, pairs, c, direction, 1.0, stalled,
            apart,
        )  # fmt: skip
        return self._try(memory, log)

    def _gradient(self, state: Evaluation, i: int) -> Array:
        """Of f in the standardised columns, 0 where a coefficient may not move."""
        gradient: Array = state.gradient[i].copy()
        gradient[:, :-1] /= self.task.scaling.scale
        gradient[:, :-1] += self.task.options.l2_reg * self.points[i][:, :-1]
        gradient[:, ~self.task.varying] = 0.0
        return gradient

    def _bound(self, state: Evaluation) -> Array:
        c: Array = np.r_[state.squares / self.task.scaling.scale**2, state.weight]
        c *= self.task.loss.curvature
        c[:-1] += self.task.options.l2_reg
        c[c <= 0] = 1.0
        return c

    def _apart(self, state: Evaluation) -> tuple[int, ...]:
        """One-hot columns that a class has no row of: their weights go to infinity."""
        options = self.task.options
        if not state.classes.size or options.l1_reg or options.l2_reg or options.descends:
            return ()
        seen = np.any(state.classes != 0, axis=0)
        missing = seen & np.any(state.classes == 0, axis=0)
        return tuple(int(j) for j in np.flatnonzero(missing))

    def _l1(self) -> Array:
        l1 = np.full(self.task.layout.width + 1, self.task.options.l1_reg)
        l1[-1] = 0.0
        return l1

    def _pseudo_gradient(self, theta: Array, gradient: Array) -> Array:
        """The steepest one-sided derivative of F, 0 where none descends."""
        l1 = self._l1()
        at_zero = soft_threshold(gradient, l1)
        return np.asarray(np.where(theta == 0, at_zero, gradient + np.sign(theta) * l1))

    def _is_sufficient(self, objective: float) -> bool:
        """Armijo's condition for the one point on trial."""
        old = self.memory
        if old is None:
            return True
        slope = self._pseudo_gradient(old.theta, old.gradient) * (self.points[0] - old.theta)
        slack = 1e-14 * abs(old.objective)
        return objective <= old.objective + SUFFICIENT * float(np.sum(slope)) + slack

    def _stop(
        self, theta: Array, objective: float, gradient: Array, c: Array, before: float, done: int
    ) -> bool | None:
        """True: converged; False: out of iterations; None: go on."""
        options = self.task.options
        steepest = self._pseudo_gradient(theta, gradient)
        if float(np.sum(steepest**2 / c)) / 2 <= GAP * abs(objective):
            return True
        if options.stops(before, objective):
            return True
        limit = options.max_iterations or (20 if options.descends else MOST_PASSES)
        return False if done >= limit else None

    def _direction(
        self, theta: Array, gradient: Array, pairs: tuple[tuple[Array, Array], ...], c: Array
    ) -> Array:
        """The two-loop recursion from the scaled steepest descent."""
        steepest = self._pseudo_gradient(theta, gradient)
        q = steepest.copy()
        alphas = []
        for s, y in reversed(pairs):
            alpha = float(np.sum(s * q)) / float(np.sum(s * y))
            q -= alpha * y
            alphas.append(alpha)
        q /= c
        if pairs:
            s, y = pairs[-1]
            q *= float(np.sum(s * y)) / float(np.sum(y * y / c))
        for (s, y), alpha in zip(pairs, reversed(alphas), strict=True):
            q += s * (alpha - float(np.sum(y * q)) / float(np.sum(s * y)))
        if self.task.options.l1_reg > 0:
            bent = (q * steepest <= 0) & (self._l1() > 0)
            q[bent] = 0.0
        return -q

    def _try(self, memory: Memory, log: tuple[Iteration, ...]) -> QuasiNewtonPass:
        """The pass for a step of the length on trial; under l1 it may not cross a zero."""
        point = memory.theta + memory.length * memory.direction
        if self.task.options.l1_reg > 0:
            steepest = self._pseudo_gradient(memory.theta, memory.gradient)
            orthant = np.where(memory.theta != 0, np.sign(memory.theta), -np.sign(steepest))
            point[(point * orthant <= 0) & (self._l1() > 0)] = 0.0
        return replace(self, points=point[None], memory=memory, log=log, passes=self.passes + 1)

    def _descend(
        self, memory: Memory, log: tuple[Iteration, ...], weight: float
    ) -> QuasiNewtonPass:
        rates = candidate_rates(self.task.options, memory.length)
        points = np.stack(
            [
                soft_threshold(
                    memory.theta - rate / weight * memory.gradient, rate / weight * self._l1()
                )
                for rate in rates
            ]
        )
        return replace(
            self, points=points, memory=memory, log=log, passes=self.passes + 1, rates=rates
        )

    def _fit(
        self,
        state: Evaluation,
        theta: Array,
        loss: float,
        log: tuple[Iteration, ...],
        converged: bool,
        apart: tuple[int, ...],
    ) -> Fit:
        task, options = self.task, self.task.options
        theta = np.where(task.varying, theta, 0.0)
        if options.l1_reg == 0 and options.l2_reg == 0 and not options.descends:
            theta = shortest(task, theta, state.incomplete)
        if task.classes > 1 and options.fit_intercept:
            theta[:, -1] -= theta[:, -1].mean()
        if not log:
            log = (Iteration(0, task.reported(loss, state.weight), None, None),)
        warnings = constant_warnings(np.flatnonzero(~task.varying[:-1]))
        if task.loss is not SQUARED and log[-1].loss < SEPARATED and not options.l2_reg:
            column = int(np.argmax(np.max(np.abs(theta[:, :-1]), axis=0)))
            warnings.append(separated((column,)))
            converged = False
        elif apart:
            warnings.append(separated(apart))
            converged = False
        elif not converged:
            warnings.append(not_converged(options, len(log)))
        return task.fit(
            theta, state.rows, state.weight, loss, log, converged, math.nan, warnings, None,
            self.passes,
        )  # fmt: skip


def _remember(old: Memory | None, theta: Array, gradient: Array) -> tuple[tuple[Array, Array], ...]:
    if old is None:
        return ()
    s, y = theta - old.theta, gradient - old.gradient
    if float(np.sum(s * y)) <= 1e-14 * float(np.sqrt(np.sum(s * s) * np.sum(y * y))):
        return old.pairs
    return (*old.pairs[-(MEMORY - 1) :], (s, y))

"""Linear support vector machines from blocks of rows, by Newton's method in the primal.

    minimise  sum_i weight_i · loss_i + l2_reg / 2 · ||w||²

over the weights w of the standardised columns and an intercept that bears no penalty; l2_reg is
1 / C. The squared loss is quadratic in pieces, so Newton's method ends at the optimum to the last
digit. The hinge has a corner; a smooth hinge takes its place, whose width is halved at every pass
as long as one Newton step is enough to follow its optimum (a predictor along the path included).
The fit ends when the duality gap is less than 1e-7 of the objective: some twenty passes, of which
ten are spared by beginning at the optimum of a sample. Rows far from the corner have no part in
the Hessian, so that late passes cost little more than their scores.

Sources: Keerthi & DeCoste (2005), JMLR 6, for the squared loss; Chapelle (2007), Training a support
vector machine in the primal, Neural Computation 19; losses.py for the smooth hinge.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from mlpond.udfs.design import Array, Block, Layout
from mlpond.udfs.linear.fit import Fit, Iteration, Moments
from mlpond.udfs.svm.fit import Options
from mlpond.udfs.svm.losses import FAR
from mlpond.udfs.svm.problem import Problem
from mlpond.udfs.svm.ridge_step import RidgeStep, ridge_step
from mlpond.udfs.svm.sums import SHORTER, Sums, add_block
from mlpond.udfs.trainer import KeptBlocks, Pass, fold

GAP = 1e-7  # of the hinge, as a share of the objective
EXACT = 1e-14  # promised gain of the squared loss that is nothing but rounding
SETTLED = 1e-9  # the same on large data, where a pass to see that nothing is left costs a scan
NARROWER = 0.5  # the next width, as a share of the last
SUFFICIENT = 1e-4  # Armijo's share of the decrease that the slope promises
SHORTEST = 1e-8  # step beyond which rounding is all that is left
MOST_PASSES = 200
SAMPLE_ROWS = 50_000
SAMPLE_CELLS = 2**23  # 64 MB
SAMPLE_FROM = 4 * SAMPLE_ROWS  # rows from which a sample is worth its scan
SAMPLE_GAP = 1e-4  # what a sample leaves open anyway


@dataclass(frozen=True)
class Base:
    """The last accepted point, and the step that is on trial from it."""

    theta: Array
    objective: float  # of the smooth problem
    step: RidgeStep
    length: float


@dataclass(frozen=True)
class MarginPass:
    """Evaluates theta, shape (1, p + 1).

    Attributes:
        problem: Columns, loss and l2_reg.
        theta: The point.
        width: Of the smooth hinge; 0 before it is known.
        base: Where the point was reached from, if the step is on trial.
        log: Passes so far.
        enough: The gap at which to end, as a share of the objective.
        far: Widths from the corner beyond which a row has no part in the Hessian.
    """

    problem: Problem
    theta: Array
    width: float
    base: Base | None = None
    log: tuple[Iteration, ...] = ()
    enough: float = GAP
    far: float = math.inf
    sample: float | None = None
    passes: int = 1
    loss_only: bool = False

    @property
    def evaluation(self) -> MarginPass:
        """The loss alone."""
        return replace(self, loss_only=True)

    def start(self) -> Sums:
        """No rows."""
        return Sums.empty(self.problem.layout)

    def step(self, state: Sums, block: Block) -> Sums:
        """Add a block."""
        if block.rows == 0:
            return state
        if self.loss_only:
            z = self.problem.scores(block, self.theta)
            losses = self.problem.options.margin.loss(z, block.y)
            v = np.ones(block.rows) if block.weight is None else block.weight
            state.exact += float(losses @ v)
            state.weight += float(v.sum())
            return state
        problem = self.problem
        scale = np.r_[problem.scaling.scale, 1.0]
        add_block(
            state, block, problem.layout, problem.scaling.shift, self.problem.options.margin,
            self.width, self.far, self.theta[0] / scale,
            None if self.base is None else self.base.step.d[0] / scale,
        )  # fmt: skip
        return state

    def merge(self, a: Sums, b: Sums) -> Sums:
        """Add two sums."""
        return a + b

    def finish(self, state: Sums, evaluation: Sums | None = None) -> MarginPass | Fit:
        """The next point, or the fit."""
        self.problem.check_sums(state.rows, state.weight, state.exact)
        if self.width == 0.0 and not self.problem.options.squared:
            # a regression: what the label leaves over is the scale to begin with
            width = state.absolute / state.weight
            return replace(self, width=max(width, 1e-300), passes=self.passes + 1)
        objective = state.smooth + self.problem.penalty(self.theta)
        base = self.base
        if base is not None and not _is_sufficient(base, objective):
            return self._shorter(base, state)
        if self.far < math.inf and state.bent < 10 * self.theta.size:
            # hardly a row is near its corner: what is far must hold the weights
            return replace(self, far=math.inf, base=None, passes=self.passes + 1)
        log = self._logged(state, evaluation)
        step = self._newton(state, state.gradient)
        if self.passes >= (self.problem.options.max_iterations or MOST_PASSES):
            return self._fit(state, self.theta, step, log, converged=False)
        trial = Base(self.theta, objective, step, 1.0)
        onwards = replace(self, theta=self.theta + step.d, log=log, passes=self.passes + 1)
        if self.problem.options.squared:
            left = EXACT if state.rows < SAMPLE_FROM else SETTLED
            if step.gain <= left * objective:
                gone = replace(state, exact=max(state.exact - step.loss_gain, 0.0))
                return self._fit(gone, onwards.theta, step, log, converged=True)
            return replace(onwards, base=trial)
        whole = state.exact + self.problem.penalty(self.theta)
        if max(state.gap, step.gain) <= self.enough * whole:
            return self._fit(state, self.theta, step, log, converged=True)
        if step.gain > max(state.gap, 0.1 * self.enough * whole):
            return replace(onwards, base=trial)
        # the optimum moves with the width: H d = -gradient - (next width - width) · path
        ahead = self._newton(state, state.gradient + (NARROWER - 1.0) * self.width * state.path)
        return replace(onwards, theta=self.theta + ahead.d, width=NARROWER * self.width, base=None)

    def _newton(self, state: Sums, gradient: Array) -> RidgeStep:
        return ridge_step(self.problem, self.theta, gradient, state.hessian)

    def _shorter(self, base: Base, state: Sums) -> MarginPass:
        """The best of the shorter steps from the same base."""
        at = [
            loss + self.problem.penalty(base.theta + length * base.step.d)
            for length, loss in zip(SHORTER, state.shorter, strict=True)
        ]
        best = SHORTER[int(np.argmin(at))]
        length = best * base.length
        if length < SHORTEST:
            best = 0.0  # stay
        step = replace(base.step, d=best * base.step.d, slope=best * base.step.slope)
        return replace(
            self,
            theta=base.theta + step.d,
            base=replace(base, step=step, length=length),
            passes=self.passes + 1,
        )

    def _logged(self, state: Sums, evaluation: Sums | None) -> tuple[Iteration, ...]:
        held_out = None
        if evaluation is not None and evaluation.weight > 0:
            held_out = evaluation.exact / evaluation.weight
        rate = self.base.length if self.base else None
        return (*self.log, Iteration(len(self.log), state.exact / state.weight, held_out, rate))

    def _fit(
        self,
        state: Sums,
        theta: Array,
        step: RidgeStep,
        log: tuple[Iteration, ...],
        converged: bool,
    ) -> Fit:
        return self.problem.fit(
            theta, state, step.constant, log, converged, self.passes, self.width
        )


def _is_sufficient(base: Base, objective: float) -> bool:
    slack = 1e-13 * abs(base.objective)
    return objective <= base.objective + SUFFICIENT * base.step.slope + slack


@dataclass(frozen=True)
class MarginSample(KeptBlocks):
    """Keeps a sample; its optimum is where the passes over all rows begin."""

    first: MarginPass
    sample: float | None
    evaluation: None = None

    def finish(self, state: tuple[Block, ...], evaluation: object = None) -> MarginPass:
        """The first pass over all rows."""
        first = replace(self.first, passes=2)
        rows = sum(block.rows for block in state)
        if rows == 0:
            return first
        problem = first.problem.of_share(rows / max(first.problem.moments.rows, rows))
        step: object = replace(first, problem=problem, enough=SAMPLE_GAP, far=math.inf)
        width = first.width
        while isinstance(step, Pass):
            width = step.width if isinstance(step, MarginPass) else width
            step = step.finish(fold(step, state))
        if not isinstance(step, Fit) or not step.converged:
            return first
        theta = np.c_[step.standardised, step.standardised_intercept]
        return replace(first, theta=theta, width=width)


def linear_svm(layout: Layout, moments: Moments, options: Options) -> MarginPass | MarginSample:
    """The first pass of a linear support vector machine.

    Args:
        layout: The columns.
        moments: Of the training rows.
        options: Loss and penalty.
    """
    theta = np.zeros((1, layout.width + 1))
    if options.is_regression and options.fit_intercept and math.isfinite(moments.label_mean):
        theta[0, -1] = moments.label_mean
    is_large = moments.rows >= SAMPLE_FROM
    first = MarginPass(
        Problem(layout, moments, options),
        theta,
        0.0 if options.is_regression else 1.0,
        far=FAR if is_large and not options.squared else math.inf,
    )
    if not is_large:
        return first
    rows = min(SAMPLE_ROWS, max(1000, SAMPLE_CELLS // max(layout.width, 1)))
    return MarginSample(first, rows / moments.rows)

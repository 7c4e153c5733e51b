"""Generalized linear models: a family, a link, an offset.

    E y = mu,  g(mu) = intercept + X w + offset,  var y = phi V(mu) / weight

The weights minimise half the deviance (plus the penalties), by Fisher's scoring where a matrix of
the columns can be made, by L-BFGS elsewhere: the same solvers as logistic regression's, with
another loss. Then two scans of light work measure the fit: deviance and Pearson's statistic, which
give the dispersion, and with it the log-likelihood. Under an offset the model of the intercept
alone has no closed form, and is fitted by a few more.

A weight is the precision of its row (R's prior weights, the var_weights of statsmodels): all
weights times a number change no standard error where the dispersion is estimated. Where it is 1, a
weight of 2 is the same as the row twice.
Source: McCullagh & Nelder (1989), "Generalized Linear Models", section 2.5.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, cast

import numpy as np

from mlpond.udfs.design import Array, Block, Layout
from mlpond.udfs.linear.fit import Deviances, Fit, FitWarning, Iteration, Moments, Options
from mlpond.udfs.linear.inference import rescaled_tests
from mlpond.udfs.linear.likelihoods import Likelihood
from mlpond.udfs.linear.links import ShareLink
from mlpond.udfs.linear.measures import Constants, ConstantsPass, MeasurePass, Totals
from mlpond.udfs.linear.minimise import minimise
from mlpond.udfs.linear.negative_binomial import DispersionPass
from mlpond.udfs.linear.newton import NewtonPass, Sums
from mlpond.udfs.linear.newton_step import newton_step
from mlpond.udfs.linear.path import path_pass
from mlpond.udfs.linear.task import Task, check_sums
from mlpond.udfs.trainer import Pass, Then, WithoutColumns

MOST_TURNS = 50  # of weights and alpha
MOST_ITERATIONS = 100


def generalized_linear_model(
    layout: Layout,
    moments: Moments,
    options: Options | None = None,
    family: str = "gaussian",
    link: str | None = None,
    alpha: float | None = None,
    has_offset: bool = False,
    offset: float = 0.0,
    warm_start: tuple[Array, Array] | None = None,
) -> Pass[Any]:
    """The first pass of a generalized linear model.

    Args:
        layout: The columns of the blocks.
        moments: Mean, standard deviation and number of the training rows; the mean of the label.
        options: How to fit.
        family: A name of FAMILIES.
        link: A link that the family accepts; None for its default.
        alpha: Of a negative binomial; None to estimate it.
        has_offset: Whether the blocks have offsets.
        offset: About the size of them, to begin near the optimum.
        warm_start: Coefficients (1, p) and intercept (1,) of the raw columns to begin at.

    Raises:
        ValueError: Family and link do not go together, alpha is not for this family or not above
            0, or the options do not apply.
    """
    options = options or Options()
    if alpha is not None and family != "negative_binomial":
        raise ValueError(
            f"glm: dispersion was given for family {family!r}; it is for 'negative_binomial'."
        )
    if alpha is not None and not (math.isfinite(alpha) and alpha > 0):
        raise ValueError(f"glm: dispersion is {alpha}; pass a number above 0.")
    if options.optimize_strategy == "NORMAL_EQUATION":
        raise ValueError("glm: optimize_strategy 'NORMAL_EQUATION' is for linear_reg.")
    if options.regularization_path and family == "negative_binomial" and alpha is None:
        raise ValueError(
            "glm: regularization_path and an estimated dispersion of the negative binomial are "
            "not available together; give the dispersion."
        )
    likelihood = Likelihood.of(family, link, alpha or 0.0)
    begin = likelihood.start(moments.label_mean, offset)
    _, _, curvature = likelihood.terms(np.array([begin + offset]), np.array([moments.label_mean]))
    likelihood = replace(likelihood, curvature=float(curvature[0]) or 1.0)
    if options.max_iterations is None and not options.descends:
        options = replace(options, max_iterations=MOST_ITERATIONS)
    estimates = family == "negative_binomial" and alpha is None
    task = Task(likelihood, layout, moments, options, 1)
    model = Model(task, estimates, has_offset)
    if warm_start is not None:
        theta = task.start(warm_start)
    elif options.fit_intercept:
        theta = task.start(None)
        theta[0, -1] = begin
    elif _zero_is_a_mean(likelihood):
        theta = task.start(None)
    else:
        return InitialPass(task, model.first)
    return model.first(theta)


def _zero_is_a_mean(likelihood: Likelihood) -> bool:
    if isinstance(likelihood.link, ShareLink) or likelihood.link.name == "log":
        return True
    return likelihood.link.name == "identity" and not likelihood.family.mean_is_positive


@dataclass(frozen=True)
class Model:
    """What is known between the stages of a fit.

    Attributes:
        task: Objective and columns.
        estimates: Whether alpha is estimated.
        has_offset: Whether rows have offsets.
        log: Iterations of the turns so far.
        turn: How many alphas were tried.
        alpha_error: Standard error of alpha.
        passes: Scans made.
    """

    task: Task
    estimates: bool
    has_offset: bool
    log: tuple[Iteration, ...] = ()
    turn: int = 0
    alpha_error: float = math.nan
    passes: int = 0

    @property
    def likelihood(self) -> Likelihood:
        """The loss of the task."""
        return cast(Likelihood, self.task.loss)

    def first(self, theta: Array) -> Pass[Any]:
        """The pass that begins at theta."""
        task = self.task
        if self.estimates:  # only the weights at the last alpha are tested
            task = replace(task, options=replace(task.options, calculate_p_values=False))
        begin = minimise(task, theta, is_warm=self.turn > 0)
        if task.options.regularization_path:
            begin = path_pass(task, theta)
        return Then(begin, self._turned if self.estimates else self._measured)

    def _turned(self, fit: Fit) -> Pass[Any]:
        """Weights given alpha are there; alpha is next."""
        theta = np.c_[fit.standardised, fit.standardised_intercept]
        model = replace(
            self, log=_renumbered(self.log, fit.iterations), passes=self.passes + fit.passes + 1
        )

        def onwards(alpha: float, error: float, is_last: bool) -> object:
            task = replace(model.task, loss=replace(model.likelihood, alpha=alpha))
            again = replace(model, task=task, turn=model.turn + 1, alpha_error=error)
            if is_last or again.turn > MOST_TURNS:
                again = replace(again, estimates=False)
            return again.first(theta)

        return DispersionPass(self.task, theta, self.likelihood.alpha, onwards)

    def _measured(self, fit: Fit) -> Pass[Any]:
        """The weights are final; the rest is measuring."""
        log = _renumbered(self.log, fit.iterations)
        fit = replace(fit, iterations=log, passes=self.passes + fit.passes)
        theta = np.c_[fit.standardised, fit.standardised_intercept]
        return Then(MeasurePass(self.task, theta), lambda totals: self._judged(fit, totals))

    def _judged(self, fit: Fit, totals: Totals) -> Pass[Any]:
        """Deviance and Pearson's statistic are there; the null model and the constants lack."""
        if not self.has_offset:
            score = self._null_score(totals)
            return Then(
                ConstantsPass(self.likelihood, self._scale(fit, totals), score),
                lambda constants: self._final(fit, totals, constants, 2),
            )
        moments = Moments(np.empty(0), np.empty(0), totals.rows)
        plain = Options(max_iterations=MOST_ITERATIONS)
        task = Task(self.likelihood, Layout(0), moments, plain, 1)
        begin = np.array([[self.likelihood.start(totals.label_mean, totals.offset_mean)]])
        null = WithoutColumns(NewtonPass(task, begin))

        def known(found: Fit) -> Pass[Any]:
            score = float(found.standardised_intercept[0])
            return Then(
                ConstantsPass(self.likelihood, self._scale(fit, totals), score),
                lambda constants: self._final(fit, totals, constants, 2 + found.passes),
            )

        return Then(null, known)

    def _null_score(self, totals: Totals) -> float:
        return float(self.likelihood.start(totals.label_mean, 0.0))

    def _k(self, fit: Fit) -> int:
        nonzero = int(np.count_nonzero(fit.standardised)) + int(self.task.options.fit_intercept)
        return nonzero if fit.rank is None or self.task.options.l1_reg > 0 else fit.rank

    def _scale(self, fit: Fit, totals: Totals) -> float:
        """The dispersion that the log-likelihood is taken at."""
        likelihood = self.likelihood
        if not likelihood.family.estimates_dispersion:
            return 1.0
        if likelihood.family.name == "gaussian" and likelihood.link.name == "identity":
            return totals.pearson / totals.rows
        return self._dispersion(fit, totals)

    def _dispersion(self, fit: Fit, totals: Totals) -> float:
        if not self.likelihood.family.estimates_dispersion:
            return 1.0
        df = totals.rows - self._k(fit)
        return totals.pearson / df if df > 0 else math.nan

    def _final(self, fit: Fit, totals: Totals, constants: Constants, scans: int) -> Fit:
        task, k, n = self.task, self._k(fit), totals.rows
        is_alpha = self.likelihood.family.name == "negative_binomial"
        counted = k + int(is_alpha and not math.isnan(self.alpha_error))
        scale, df = self._scale(fit, totals), n - k
        llf = constants.saturated - totals.half_deviance / scale if scale > 0 else math.nan
        dispersion = self._dispersion(fit, totals)
        deviances = Deviances(
            2.0 * totals.half_deviance, 2.0 * constants.null_half_deviance, totals.pearson,
            dispersion, llf, 2 * counted - 2 * llf, math.log(n) * counted - 2 * llf, df, n - 1,
            self.likelihood.alpha if is_alpha else math.nan, self.alpha_error,
        )  # fmt: skip
        warnings = fit.warnings
        if is_alpha and self.likelihood.alpha == 0.0:
            warnings += (_POISSON,)
        inference = fit.inference
        if inference is not None:
            level = task.options.confidence_level
            of = float(df) if self.likelihood.family.estimates_dispersion else math.inf
            raw = np.r_[fit.coefficients[0], fit.intercept[0]]
            scaled = np.r_[fit.standardised[0], fit.standardised_intercept[0]]
            null = deviances.null_deviance
            inference = replace(
                inference,
                raw=rescaled_tests(inference.raw, raw, dispersion, of, level),
                standardised=rescaled_tests(inference.standardised, scaled, dispersion, of, level),
                df=of, log_likelihood=llf, aic=deviances.aic, bic=deviances.bic,
                r_squared=1.0 - deviances.deviance / null if null > 0 else math.nan,
            )  # fmt: skip
        return replace(
            fit, loss=deviances.deviance / totals.weight, warnings=warnings, inference=inference,
            passes=fit.passes + scans, deviances=deviances,
        )  # fmt: skip


_POISSON = FitWarning(
    "no_overdispersion",
    (),
    "the counts vary no more than those of a Poisson, so that the dispersion of the negative "
    "binomial is 0 and the fit is the Poisson's.",
)


def _renumbered(log: tuple[Iteration, ...], more: tuple[Iteration, ...]) -> tuple[Iteration, ...]:
    return log + tuple(replace(step, iteration=len(log) + i) for i, step in enumerate(more))


@dataclass(frozen=True)
class Beginning:
    """A likelihood where rows begin at scores of their own, and the weights at 0.

    Attributes:
        likelihood: The loss.
        label_mean: Means begin half way between label and this.
    """

    likelihood: Likelihood
    label_mean: float
    model_type: str = "glm"
    curvature: float = 1.0
    reported: float = 2.0
    has_unit: bool = False
    is_newton: bool = False

    def terms(self, z: Array, y: Array) -> tuple[Array, Array, Array]:
        """Of the quadratic around those scores: its slope at z, and its curvature."""
        score = self.likelihood.link.score((y + self.label_mean) / 2.0)
        loss, slope, curvature = self.likelihood.terms(score, y)
        return loss, slope + curvature * (z - score), curvature


@dataclass(frozen=True)
class InitialPass:
    """The first step of reweighted least squares, where no common score is sure to be a mean.

    Without an intercept the weights 0 give every row the score 0, whose inverse is no mean.
    """

    task: Task
    then: Callable[[Array], Pass[Any]]
    sample: float | None = None

    @property
    def evaluation(self) -> None:
        """Nothing is logged."""
        return

    @property
    def _sums(self) -> NewtonPass:
        task = self.task
        begins = Beginning(cast(Likelihood, task.loss), task.moments.label_mean)
        return NewtonPass(replace(task, loss=begins), task.start(None))

    def start(self) -> Sums:
        """No rows."""
        return self._sums.start()

    def step(self, state: Sums, block: Block) -> Sums:
        """Add a block."""
        return self._sums.step(state, block)

    def merge(self, a: Sums, b: Sums) -> Sums:
        """Add two sums."""
        return self._sums.merge(a, b)

    def finish(self, state: Sums, evaluation: object = None) -> Pass[Any]:
        """Go on from the step."""
        theta = self.task.start(None)
        check_sums(self.task, state.rows, state.weight, state.loss)
        step = newton_step(self.task, theta, state.gradient, state.hessian, ~state.incomplete)
        return self.then(theta + step.d)

"""What goes into the fit of a linear model, and what comes out.

Every linear model minimises, over the weights w of the standardised columns and an intercept,

    sum_i weight_i · loss_i + l1_reg · ||w||_1 + l2_reg / 2 · ||w||²

A dense column is standardised, z = (x - mean) / sd; a one-hot or sparse column is left as it
is. Without an intercept z = x / sd, for centring would bring an intercept in again. The penalty
never acts on the intercept.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np

from mlpond.udfs.design import Array, BoolArray, Layout

STRATEGIES = ("AUTO_STRATEGY", "NORMAL_EQUATION", "BATCH_GRADIENT_DESCENT")
RATE_STRATEGIES = ("LINE_SEARCH", "CONSTANT")
DESIGN_COLUMNS = 100  # columns up to which regression inference is prepared, in p² numbers
DESCENT_PROGRESS = 0.01  # gradient descent stops below this relative progress


@dataclass(frozen=True)
class Options:
    """How to fit; the names are those of the options of CREATE MODEL.

    Attributes:
        l1_reg: Weight of the sum of absolute weights.
        l2_reg: Weight of half the sum of squared weights.
        fit_intercept: Whether there is an intercept.
        optimize_strategy: AUTO_STRATEGY and NORMAL_EQUATION go to the exact optimum,
            BATCH_GRADIENT_DESCENT takes one gradient step an iteration.
        learn_rate_strategy: LINE_SEARCH tries 2, 1, 1/2 and 1/4 times the last rate.
        learn_rate: The rate of CONSTANT.
        ls_init_learn_rate: The first rate of LINE_SEARCH.
        max_iterations: None for 20, or 500 where L-BFGS is used.
        early_stop: Whether gradient descent, or a given min_rel_progress, may end the fit.
        min_rel_progress: Stop once the objective falls by a smaller share of itself. None for
            0.01 in gradient descent and for the exact optimum elsewhere.
        calculate_p_values: Whether to compute standard errors and what follows from them.
        confidence_level: Of the intervals.
        regularization_path: How many penalties to try, from one that leaves no weight; 0 for the
            one given.
        l1_ratio: Share of the l1 part in the penalties of the path.
    """

    l1_reg: float = 0.0
    l2_reg: float = 0.0
    fit_intercept: bool = True
    optimize_strategy: str = "AUTO_STRATEGY"
    learn_rate_strategy: str = "LINE_SEARCH"
    learn_rate: float = 0.1
    ls_init_learn_rate: float = 0.1
    max_iterations: int | None = None
    early_stop: bool = True
    min_rel_progress: float | None = None
    calculate_p_values: bool = False
    confidence_level: float = 0.95
    regularization_path: int = 0
    l1_ratio: float = 1.0

    def __post_init__(self) -> None:
        for name in ("l1_reg", "l2_reg"):
            value = getattr(self, name)
            if not (math.isfinite(value) and value >= 0):
                raise ValueError(f"Options: {name} is {value}; pass a finite number, 0 or more.")
        for name in ("learn_rate", "ls_init_learn_rate"):
            value = getattr(self, name)
            if not (math.isfinite(value) and value > 0):
                raise ValueError(f"Options: {name} is {value}; pass a finite number above 0.")
        _check_choice("optimize_strategy", self.optimize_strategy, STRATEGIES)
        _check_choice("learn_rate_strategy", self.learn_rate_strategy, RATE_STRATEGIES)
        if self.max_iterations is not None and self.max_iterations < 1:
            raise ValueError(f"Options: max_iterations is {self.max_iterations}; pass 1 or more.")
        self._check_path()
        if not 0 < self.confidence_level < 1:
            raise ValueError(
                f"Options: confidence_level is {self.confidence_level}; pass a share such as 0.95."
            )
        if self.calculate_p_values and self.l1_reg > 0:
            raise ValueError(
                f"Options: calculate_p_values was asked for with l1_reg = {self.l1_reg}, under "
                "which standard errors have no known form; set l1_reg to 0."
            )

    def _check_path(self) -> None:
        if not 0 <= self.l1_ratio <= 1:
            raise ValueError(f"Options: l1_ratio is {self.l1_ratio}; pass a share from 0 to 1.")
        if self.regularization_path < 0 or self.regularization_path == 1:
            raise ValueError(
                f"Options: regularization_path is {self.regularization_path}; pass the number of "
                "penalties to try, 2 or more, or 0 for none."
            )
        if self.regularization_path and (
            self.l1_reg > 0 or self.l2_reg > 0 or self.calculate_p_values or self.descends
        ):
            raise ValueError(
                "Options: regularization_path chooses the penalty itself; leave out l1_reg, "
                "l2_reg, calculate_p_values and BATCH_GRADIENT_DESCENT."
            )

    @property
    def descends(self) -> bool:
        """Whether gradient descent was asked for."""
        return self.optimize_strategy == "BATCH_GRADIENT_DESCENT"

    def stops(self, before: float, after: float) -> bool:
        """Whether the progress from one objective to the next is too small to go on."""
        least = self.min_rel_progress
        if least is None and self.descends:
            least = DESCENT_PROGRESS
        if least is None or not self.early_stop or not math.isfinite(before):
            return False
        return before - after < least * abs(before)


def _check_choice(name: str, value: str, choices: tuple[str, ...]) -> None:
    if value not in choices:
        raise ValueError(f"Options: {name} is {value!r}; pass one of {', '.join(choices)}.")


@dataclass(frozen=True)
class Moments:
    """What is known of the training rows before the first pass.

    Attributes:
        mean: Of every dense column, shape (dense,).
        sd: Sample standard deviation of every dense column, shape (dense,).
        rows: Training rows.
        label_mean: Of a numeric label; near it is enough, it only saves digits.
    """

    mean: Array
    sd: Array
    rows: int
    label_mean: float = 0.0

    def varying(self, layout: Layout, fit_intercept: bool) -> BoolArray:
        """Which coefficients may differ from 0, shape (p + 1,), the intercept last."""
        varying = np.ones(layout.width + 1, dtype=bool)
        if fit_intercept:
            varying[: layout.dense] = self.sd > 0
        varying[-1] = fit_intercept
        return varying


@dataclass(frozen=True)
class Scaling:
    """The way from raw columns to standardised ones: z = (x - shift) / scale.

    Attributes:
        shift: Of the dense columns, shape (dense,).
        scale: Of all columns, shape (p,); 1 beyond the dense ones.
    """

    shift: Array
    scale: Array

    @classmethod
    def of(cls, layout: Layout, moments: Moments, fit_intercept: bool) -> Scaling:
        """The scaling that the moments call for; a column without spread is not scaled."""
        for name in ("mean", "sd"):
            shape = getattr(moments, name).shape
            if shape != (layout.dense,):
                raise ValueError(
                    f"Scaling: moments.{name} has shape {shape}, but the layout has "
                    f"{layout.dense} dense columns; pass one number per dense column."
                )
        scale = np.ones(layout.width)
        usable = np.isfinite(moments.sd) & (moments.sd > 0)
        scale[: layout.dense][usable] = moments.sd[usable]
        shift = np.where(np.isfinite(moments.mean), moments.mean, 0.0)
        return cls(shift if fit_intercept else np.zeros(layout.dense), scale)

    def to_raw(self, w: Array, intercept: Array) -> tuple[Array, Array]:
        """Weights (C, p) and intercepts (C,) of the raw columns, of those of standardised ones."""
        raw = w / self.scale
        moved = [
            math.fsum([c, *(-self.shift * b[: self.shift.size])])
            for c, b in zip(intercept.tolist(), raw, strict=True)
        ]
        return raw, np.array(moved)

    def to_standardised(self, raw: Array, intercept: Array) -> tuple[Array, Array]:
        """The inverse of to_raw."""
        return raw * self.scale, intercept + raw[:, : self.shift.size] @ self.shift


@dataclass(frozen=True)
class Iteration:
    """One row of the training log.

    Attributes:
        iteration: From 0.
        loss: Mean squared error, or mean log loss, of the training rows; no penalty in it.
        eval_loss: The same of the held-out rows, if there are any.
        learning_rate: Of gradient descent; the step length of Newton and L-BFGS, 1 when undamped.
    """

    iteration: int
    loss: float
    eval_loss: float | None = None
    learning_rate: float | None = None


@dataclass(frozen=True)
class FitWarning:
    """Something about the data that the user should know.

    Attributes:
        kind: constant, collinear, singular, separation or not_converged.
        columns: The columns of the design that cause it.
        message: A sentence that calls column j "column j".
    """

    kind: str
    columns: tuple[int, ...]
    message: str


@dataclass(frozen=True)
class CoefficientTests:
    """Tests of every coefficient, arrays of shape (p + 1,), the intercept last.

    nan where there is nothing to say: a constant column, no intercept, no degrees of freedom.

    Attributes:
        covariance: Of the coefficients, shape (p + 1, p + 1).
        standard_error: Square root of its diagonal.
        statistic: Coefficient / standard error: t of a linear, z of a logistic regression.
        p_value: Two-sided; Student's t with df degrees of freedom, or normal if df is inf.
        normal_p_value: Two-sided by the normal distribution, as BigQuery ML reports it.
        ci_lower: Of the interval at the confidence level, by the same distribution as p_value.
        ci_upper: Its other end.
    """

    covariance: Array
    standard_error: Array
    statistic: Array
    p_value: Array
    normal_p_value: Array
    ci_lower: Array
    ci_upper: Array


@dataclass(frozen=True)
class Inference:
    """Standard errors and the quality of the fit.

    Attributes:
        raw: Tests of the coefficients of the raw columns.
        standardised: Tests of the coefficients of the standardised columns.
        df: Residual degrees of freedom; inf for logistic regression.
        log_likelihood: At the optimum; the error variance of a linear model is RSS / n, with n
            rows, divided by the weight of the row.
        aic: -2 log_likelihood + 2 k with k coefficients, the intercept among them.
        bic: -2 log_likelihood + log(n) k.
        residual_sd: Residual standard deviation, sqrt(RSS / df); nan for logistic regression.
        r_squared: Share of the variance explained; around 0 if there is no intercept; McFadden's
            for logistic regression.
        adjusted_r_squared: The same per degree of freedom; nan for logistic regression.
        f_statistic: Of all coefficients but the intercept; nan for logistic regression.
        f_df: Degrees of freedom of its numerator.
    """

    raw: CoefficientTests
    standardised: CoefficientTests
    df: float
    log_likelihood: float
    aic: float
    bic: float
    residual_sd: float
    r_squared: float
    adjusted_r_squared: float
    f_statistic: float
    f_df: int


@dataclass(frozen=True)
class Design:
    """The way from the raw columns of a row x to orthonormal ones, z = root'(x - center).

    Over the training rows Z'Z = I, and the centred columns of X span what those of Z span, so that
    the inverse of the centred X'X is root root' and the leverage of a row is |z|² (plus 1 / n for
    the intercept). Nothing is inverted again to get there.

    Attributes:
        root: Shape (p, r), r the rank of the centred columns; a row of zeros for a column that
            does not vary.
        center: Means of the raw columns, shape (p,); zeros without an intercept.
        sum_of_squares: Of the raw columns around the center, shape (p,).
        has_intercept: Whether one is fitted.
    """

    root: Array
    center: Array
    sum_of_squares: Array
    has_intercept: bool


@dataclass(frozen=True)
class Deviances:
    """How well a generalized linear model fits, measured at its weights.

    Attributes:
        deviance: Twice the log-likelihood that it lacks to one mean a row, times the dispersion.
        null_deviance: The same of a model of the intercept (and the offset) alone.
        pearson_chi2: Sum of weight · (y - mu)² / V(mu).
        dispersion: 1, or pearson_chi2 / df_residual where the family estimates it.
        log_likelihood: At that dispersion; of a gaussian with the identity link at RSS / n.
        aic: -2 log_likelihood + 2 k.
        bic: -2 log_likelihood + log(n) k.
        df_residual: n - k, n the rows of positive weight.
        df_null: n - 1.
        alpha: Of the negative binomial, var y = mu + alpha mu²; nan for the others.
        alpha_error: Its standard error if it was estimated; nan elsewhere.
    """

    deviance: float
    null_deviance: float
    pearson_chi2: float
    dispersion: float
    log_likelihood: float
    aic: float
    bic: float
    df_residual: int
    df_null: int
    alpha: float = math.nan
    alpha_error: float = math.nan


@dataclass(frozen=True)
class PathStep:
    """One fit of a regularisation path.

    Attributes:
        l1_reg: Its l1 penalty.
        l2_reg: Its l2 penalty.
        df: Weights that are not 0.
        loss: Of the training rows, as a Fit reports it.
        eval_loss: Of the held-out rows, if there are any.
        coefficients: Of the raw columns, shape (C, p).
        intercept: To go with them, shape (C,).
        is_chosen: Whether it is the model.
    """

    l1_reg: float
    l2_reg: float
    df: int
    loss: float
    eval_loss: float | None
    coefficients: Array
    intercept: Array
    is_chosen: bool = False


@dataclass(frozen=True)
class Fit:
    """A fitted linear model: C weight vectors, C = 1 unless it is multinomial.

    Attributes:
        coefficients: Of the raw columns, shape (C, p).
        intercept: To go with them, shape (C,); zeros where none is fitted.
        standardised: Coefficients of the standardised columns, shape (C, p).
        standardised_intercept: To go with them, shape (C,).
        rows: Training rows of positive weight.
        weight: Sum of their weights.
        loss: Mean squared error, or mean log loss, of the training rows.
        objective: The minimised sum, penalty included.
        iterations: The training log.
        converged: Whether the stopping rule was met before max_iterations.
        condition_number: Of the centred columns scaled to the same length, without the
            dependence of complete one-hot columns; nan where it was not computed.
        warnings: What the user should know.
        inference: Standard errors and so on, if asked for.
        passes: Scans made.
        design: Of a linear regression without a penalty that is at its optimum, if it is not
            wider than DESIGN_COLUMNS.
        deviances: Of a generalized linear model.
        rank: Coefficients that could be estimated, the intercept among them; None where no
            matrix tells.
        path: Of the penalties that were tried, if more than one.
    """

    coefficients: Array
    intercept: Array
    standardised: Array
    standardised_intercept: Array
    rows: int
    weight: float
    loss: float
    objective: float
    iterations: tuple[Iteration, ...]
    converged: bool
    condition_number: float
    warnings: tuple[FitWarning, ...] = field(default=())
    inference: Inference | None = None
    passes: int = 1
    design: Design | None = None
    deviances: Deviances | None = None
    rank: int | None = None
    path: tuple[PathStep, ...] = ()

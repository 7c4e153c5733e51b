"""What the multi-pass minimisers have in common: the objective and the way to its Fit.

Throughout: theta (C, p + 1), the weights of the standardised columns with the intercept last.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from mlpond.udfs.design import Array, Block, BoolArray, Layout
from mlpond.udfs.linear.fit import Fit, FitWarning, Inference, Iteration, Moments, Options, Scaling
from mlpond.udfs.linear.losses import Loss
from mlpond.udfs.linear.solve import one_hot_nulls, project_out


@dataclass(frozen=True)
class Task:
    """A loss, the columns, and the options.

    Attributes:
        loss: What is minimised.
        layout: The columns.
        moments: Of the training rows.
        options: How to fit.
        classes: Weight vectors C: the number of classes for softmax, else 1.
    """

    loss: Loss
    layout: Layout
    moments: Moments
    options: Options
    classes: int

    @cached_property
    def scaling(self) -> Scaling:
        """From raw to standardised columns."""
        return Scaling.of(self.layout, self.moments, self.options.fit_intercept)

    @cached_property
    def varying(self) -> BoolArray:
        """Which coefficients may differ from 0, shape (p + 1,)."""
        return self.moments.varying(self.layout, self.options.fit_intercept)

    @property
    def model_type(self) -> str:
        """The name that error messages use."""
        return self.loss.model_type

    def start(self, warm_start: tuple[Array, Array] | None) -> Array:
        """The first theta: zeros, or the given raw coefficients (C, p) and intercepts (C,)."""
        shape = (self.classes, self.layout.width)
        theta = np.zeros((self.classes, self.layout.width + 1))
        if warm_start is not None:
            raw, intercept = warm_start
            if raw.shape != shape or intercept.shape != shape[:1]:
                raise ValueError(
                    f"{self.model_type}: warm start has coefficients of shape {raw.shape} and "
                    f"intercepts of shape {intercept.shape}; this model needs {shape} and "
                    f"{shape[:1]}. Train from the start if columns or classes have changed."
                )
            theta[:, :-1], theta[:, -1] = self.scaling.to_standardised(raw, intercept)
            theta[:, ~self.varying] = 0.0
            if self.classes > 1 and self.options.l1_reg == 0:
                theta -= theta.mean(axis=0)  # predicts the same, and is shorter
        return theta

    def scores(self, block: Block, theta: Array) -> Array:
        """z = X w + intercept + offset for the rows of a block, shape (n, C)."""
        w = (theta[:, :-1] / self.scaling.scale).T  # (p, C)
        z = block.matvec(self.layout, w, self.scaling.shift) + theta[:, -1]
        return z if block.offset is None else z + block.offset[:, None]

    def penalty(self, theta: Array) -> float:
        """l1 and l2 part of the objective."""
        w = theta[:, :-1]
        l1, l2 = self.options.l1_reg, self.options.l2_reg
        return l1 * float(np.sum(np.abs(w))) + l2 / 2 * float(np.sum(w * w))

    def reported(self, loss: float, weight: float) -> float:
        """The loss of the training log."""
        return self.loss.reported * loss / weight

    def fit(
        self,
        theta: Array,
        rows: int,
        weight: float,
        loss: float,
        log: tuple[Iteration, ...],
        converged: bool,
        condition_number: float,
        warnings: list[FitWarning],
        inference: Inference | None,
        passes: int,
        rank: int | None = None,
    ) -> Fit:
        """The Fit of theta, where the sum of losses is `loss`."""
        w, intercept = theta[:, :-1], theta[:, -1]
        raw, raw_intercept = self.scaling.to_raw(w, intercept)
        return Fit(
            raw, raw_intercept, w, intercept, rows, weight, self.reported(loss, weight),
            loss + self.penalty(theta), log, converged, condition_number, tuple(warnings),
            inference, passes, rank=rank,
        )  # fmt: skip


def check_sums(task: Task, rows: int, weight: float, loss: Array | float) -> None:
    """Raise unless the sums of a pass can be used."""
    if rows == 0 or not weight > 0:
        raise ValueError(f"{task.model_type}: there are no training rows; pass at least one.")
    if not np.all(np.isfinite(loss)):
        raise ValueError(
            f"{task.model_type}: the sum of losses is not finite. A feature, label or weight "
            "holds NaN or infinity, or is too large; or a constant learn_rate made gradient "
            "descent diverge, and must be smaller."
        )


def shortest(task: Task, theta: Array, incomplete: BoolArray) -> Array:
    """Take out what one-hot columns have too many; predictions stay as they are."""
    layout, fit_intercept = task.layout, task.options.fit_intercept
    theta = theta.copy()
    if task.classes > 1:
        theta[:, :-1] -= theta[:, :-1].mean(axis=0)
    if not fit_intercept:
        nulls = one_hot_nulls(layout, np.ones(layout.width, dtype=bool), ~incomplete, False)
        theta[:, :-1] = project_out(theta[:, :-1].T, nulls).T
        return theta
    for offset, size, hole in zip(
        layout.code_offsets, layout.cardinalities, incomplete, strict=True
    ):
        own = theta[:, offset : offset + size]
        seen = np.any(own != 0, axis=0)  # a category that no row has never moves
        if not hole and seen.any():
            mean = own[:, seen].mean(axis=1)
            own[:, seen] -= mean[:, None]
            theta[:, -1] += mean
    return theta

"""Scans that measure a generalized linear model once its weights are final.

Throughout: D the deviance, mu the mean, V its variance function, v the row weights; a row of
weight 0 counts for nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import numpy as np

from mlpond.udfs.design import Array, Block
from mlpond.udfs.linear.likelihoods import Likelihood
from mlpond.udfs.linear.losses import weighted_sum
from mlpond.udfs.linear.task import Task, check_sums


@dataclass
class Totals:
    """Sums over the rows at the final weights.

    Attributes:
        half_deviance: Sum of v D / 2.
        pearson: Sum of v (y - mu)² / V.
        rows: Rows of positive weight.
        weight: Sum of v.
        label: Sum of v y.
        offset: Sum of v · offset.
    """

    half_deviance: float = 0.0
    pearson: float = 0.0
    rows: int = 0
    weight: float = 0.0
    label: float = 0.0
    offset: float = 0.0

    @property
    def label_mean(self) -> float:
        """Weighted mean of the label."""
        return self.label / self.weight

    @property
    def offset_mean(self) -> float:
        """Weighted mean of the offset."""
        return self.offset / self.weight


@dataclass(frozen=True)
class MeasurePass:
    """Deviance and Pearson's statistic at theta, shape (1, p + 1)."""

    task: Task
    theta: Array
    sample: float | None = None

    @property
    def evaluation(self) -> None:
        """Nothing is logged."""
        return

    def start(self) -> Totals:
        """No rows."""
        return Totals()

    def step(self, state: Totals, block: Block) -> Totals:
        """Add a block."""
        if block.rows == 0:
            return state
        likelihood = cast(Likelihood, self.task.loss)
        z = self.task.scores(block, self.theta)[:, 0]
        loss, pearson = likelihood.measures(z, block.y)
        v = np.ones(block.rows) if block.weight is None else block.weight
        state.half_deviance += weighted_sum(loss, v)
        state.pearson += weighted_sum(pearson, v)
        state.rows += block.counted
        state.weight += block.total_weight
        state.label += float(v @ block.y)
        state.offset += 0.0 if block.offset is None else float(v @ block.offset)
        return state

    def merge(self, a: Totals, b: Totals) -> Totals:
        """Add two sums."""
        return Totals(
            a.half_deviance + b.half_deviance, a.pearson + b.pearson, a.rows + b.rows,
            a.weight + b.weight, a.label + b.label, a.offset + b.offset,
        )  # fmt: skip

    def finish(self, state: Totals, evaluation: object = None) -> Totals:
        """The totals."""
        check_sums(self.task, state.rows, state.weight, state.half_deviance)
        return state


@dataclass
class Constants:
    """Sums that need no column of the design.

    Attributes:
        saturated: Log-likelihood of one mean a row.
        null_half_deviance: Sum of v D / 2 at the null model.
    """

    saturated: float = 0.0
    null_half_deviance: float = 0.0


@dataclass(frozen=True)
class ConstantsPass:
    """The saturated log-likelihood at a dispersion, and the deviance of a common score.

    Attributes:
        likelihood: The loss.
        phi: The dispersion.
        score: Score of every row, to which its offset is added.
    """

    likelihood: Likelihood
    phi: float
    score: float
    sample: float | None = None

    @property
    def evaluation(self) -> None:
        """Nothing is logged."""
        return

    def start(self) -> Constants:
        """No rows."""
        return Constants()

    def step(self, state: Constants, block: Block) -> Constants:
        """Add a block."""
        v = np.ones(block.rows) if block.weight is None else block.weight
        counted = v > 0
        y, v = block.y[counted], v[counted]
        if y.size == 0:
            return state
        z = np.full(y.size, self.score)
        if block.offset is not None:
            z += block.offset[counted]
        with np.errstate(divide="ignore", invalid="ignore"):
            saturated = self.likelihood.family.saturated(y, v, self.phi, self.likelihood.alpha)
        state.saturated += float(saturated.sum())
        state.null_half_deviance += float(v @ self.likelihood.terms(z, y)[0])
        return state

    def merge(self, a: Constants, b: Constants) -> Constants:
        """Add two sums."""
        return Constants(a.saturated + b.saturated, a.null_half_deviance + b.null_half_deviance)

    def finish(self, state: Constants, evaluation: object = None) -> Constants:
        """The sums."""
        return state

"""What a sample knows of the losses beyond the quadratic, so that one pass is enough.

Throughout: f the sum of losses over all rows, s that over the sample times the ratio of the
weights, theta0 where a pass over all rows gave f's gradient g and Hessian H, D = theta - theta0.

Newton's step minimises g'D + D'HD / 2, and what it leaves is the cubic and higher part of f, which
the next pass over all rows would find. The sample knows that part too:

    f(theta) ~ g'D + D'HD / 2 + s(theta) - (s's own quadratic at theta0)

The sample's error is a share of n^(-1/2) of a part that is itself next to nothing once theta0 is
the optimum of the sample: with 5M rows, 20 columns and a sample of 400,000 the gap to the optimum
falls from 3e-5 of F at theta0 to 1e-11 by Newton's step and to 4e-14 by this one. How large the
error is, K parts of the sample tell, c_k the cubic part of the gradient that each finds:

    gap ~ sum of (c_k - c)'H⁻¹(c_k - c) / (2 K (K - 1)),  c their mean

Sources: Jordan, Lee & Yang (2019), "Communication-efficient distributed statistical inference",
JASA 114; Fan, Guo & Wang (2023), JASA 118, for the same with the Hessian.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from mlpond.udfs.design import Array, Block, BoolArray
from mlpond.udfs.linear.newton_step import Step, newton_step
from mlpond.udfs.linear.task import Task
from mlpond.udfs.trainer import fold

if TYPE_CHECKING:
    from mlpond.udfs.linear.newton import NewtonPass, Sums

PARTS = 8
THREADS = min(4, os.cpu_count() or 1)  # the sums do not depend on it


@dataclass(frozen=True)
class Surrogate:
    """The rows of a sample, in K parts."""

    parts: tuple[tuple[Block, ...], ...]

    @classmethod
    def of(cls, blocks: tuple[Block, ...]) -> Surrogate:
        """Cut every block into a piece for each part."""
        parts: list[list[Block]] = [[] for _ in range(PARTS)]
        for block in blocks:
            for k, part in enumerate(parts):
                first, last = (block.rows * i // PARTS for i in (k, k + 1))
                part.append(block.part(slice(first, last)))
        return cls(tuple(map(tuple, parts)))

    def improve(
        self, at: NewtonPass, state: Sums, step: Step, complete: BoolArray
    ) -> tuple[Array, float, float]:
        """The optimum of the surrogate, f there, and about how far F there is from its optimum.

        Args:
            at: The pass that was made, at theta0.
            state: Its sums, over all rows.
            step: Newton's step from there.
            complete: Whether every row has a category, for each categorical feature.
        """
        task, theta = at.task, at.theta + step.d
        unit = np.tile(np.r_[1.0 / task.scaling.scale, 1.0], (theta.shape[0], 1))
        D = (step.d * unit).ravel()  # in the shifted columns, as gradients are
        H, cubic = state.hessian.copy(), []
        slope = state.gradient.ravel() + state.hessian @ D  # of the quadratic at theta
        loss = state.loss + float(D @ (state.gradient.ravel() + slope)) / 2
        for part in self.parts:
            old, new = fold(at, part, THREADS), fold(at.at(theta), part, THREADS)
            if not old.weight > 0:
                return theta, loss, np.inf
            ratio = state.weight / old.weight
            started = old.gradient.ravel() + old.hessian @ D
            cubic.append(ratio * (new.gradient.ravel() - started))
            beyond = new.loss - old.loss - float(D @ (old.gradient.ravel() + started)) / 2
            loss += ratio / len(self.parts) * beyond
            H += ratio / len(self.parts) * (new.hessian - old.hessian)
        mean = np.mean(cubic, axis=0)
        more = newton_step(task, theta, (slope + mean).reshape(theta.shape), H, complete)
        errors = (np.array(cubic) - mean).T * unit.ravel()[:, None]  # (C (p + 1), K)
        gap = self._gap(task, errors, H * np.outer(unit, unit))
        gap /= len(self.parts) * (len(self.parts) - 1)
        # and what the surrogate itself lacks to its optimum: much, where labels are separated
        first, second = step.gain / state.loss, more.gain / state.loss
        ratio = second / max(first, 1e-300)
        if task.loss.is_newton:
            ratio = max(second, second * ratio / max(first, 1e-300))  # squares of steps, not shares
        gap += min(ratio, 1.0) * max(second, 0.0) * state.loss
        return theta + more.d, loss - more.loss_gain, gap

    def _gap(self, task: Task, errors: Array, H: Array) -> float:
        """Sum of e'H⁻¹e / 2 over the columns e."""
        keeps = np.tile(task.varying, task.classes)
        penalised = np.tile(np.r_[np.ones(task.layout.width), 0.0], task.classes)
        A = (H + task.options.l2_reg * np.diag(penalised))[np.ix_(keeps, keeps)]
        length = np.sqrt(np.maximum(np.diag(A), 1e-300))
        e = errors[keeps] / length[:, None]
        solved = np.linalg.lstsq(A / np.outer(length, length), e, rcond=1e-12)[0]
        return float(np.sum(e * solved)) / 2

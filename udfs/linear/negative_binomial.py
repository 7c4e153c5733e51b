"""The dispersion of a negative binomial by maximum likelihood.

Throughout: y counts, mu their means, v row weights; alpha the dispersion, var y = mu + alpha mu².

    l(alpha) = sum of log(1 + alpha j) over j < y  +  y log mu  -  (y + 1/alpha) log(1 + alpha mu)

Weights and dispersion are orthogonal in expectation, so that taking turns converges fast: the
weights given alpha by Newton, then a step in log alpha given the weights. At alpha = 0 the family
is Poisson's and dl/dalpha = sum of ((y - mu)² - y) / 2: where that is not positive the counts vary
no more than Poisson's, and alpha stays 0.
Source: Hilbe (2011), "Negative Binomial Regression", chapter 8; Venables & Ripley (2002), "Modern
Applied Statistics with S", section 7.4, takes the same turns.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from mlpond.udfs.design import Array, Block
from mlpond.udfs.linear.task import Task
from mlpond.udfs.trainer import Pass

MOST_COUNTS = 2**24  # the tables have an entry for every count up to the largest
SMALL = 1e-2  # alpha · mu below which the closed forms cancel and their series are taken
LONGEST = 2.0  # step in log alpha


def rising_sums(y: Array, alpha: float, derivatives: bool = True) -> tuple[Array, ...]:
    """Sums over j < y of log(1 + alpha j), j / (1 + alpha j) and (j / (1 + alpha j))².

    The first is the logarithm of Γ(y + 1/alpha) alpha^y / Γ(1/alpha), of which no digit cancels
    here; the others are its derivative and minus the second.
    """
    top = float(np.max(y, initial=0.0))
    at = y.astype(np.intp)
    if np.any(at != y) or top > MOST_COUNTS:
        raise ValueError(
            "glm: a label of family 'negative_binomial' must be a whole number from 0 to "
            f"{MOST_COUNTS:,}; round it, or take family 'poisson' or 'gamma'."
        )
    j = np.arange(top)
    terms = [np.log1p(alpha * j)]
    if derivatives:
        share = j / (1.0 + alpha * j)
        terms += [share, share * share]
    return tuple(np.append(0.0, np.cumsum(term))[at] for term in terms)


def curve(t: Array) -> tuple[Array, Array]:
    """g(t) = log(1 + t) / t² - 1 / (t (1 + t)) and g'(t), for t ≥ 0; g(0) = 1/2."""
    small = t < SMALL
    s = np.where(small, 1.0, t)
    log = np.log1p(s)
    g = log / (s * s) - 1.0 / (s * (1.0 + s))
    slope = (1.0 / (1.0 + s) + (1.0 + 2.0 * s) / (1.0 + s) ** 2 - 2.0 * log / s) / (s * s)
    # sum of (-1)^k (k + 1) / (k + 2) t^k
    series = [(-1.0) ** k * (k + 1) / (k + 2) for k in range(9)]
    slopes = [k * c for k, c in enumerate(series)][1:]
    near = np.where(small, t, 0.0)
    return (
        np.where(small, np.polyval(series[::-1], near), g),
        np.where(small, np.polyval(slopes[::-1], near), slope),
    )


@dataclass
class Slopes:
    """Of the log-likelihood: dl/dalpha, -d²l/dalpha², and what a first alpha is made of.

    Attributes:
        slope: dl/dalpha.
        curvature: -d²l/dalpha².
        excess: Sum of v ((y - mu)² - y).
        squares: Sum of v mu².
    """

    slope: float = 0.0
    curvature: float = 0.0
    excess: float = 0.0
    squares: float = 0.0


@dataclass(frozen=True)
class DispersionPass:
    """The log-likelihood's slope in alpha at the weights theta.

    Attributes:
        task: With the Likelihood whose alpha is on trial.
        theta: Shape (1, p + 1).
        alpha: On trial; 0 for the Poisson that comes first.
        then: Continues with the next alpha, its standard error, and whether it is the last.
        passes: Scans made when this one is.
    """

    task: Task
    theta: Array
    alpha: float
    then: Callable[[float, float, bool], Pass[object] | object]
    tolerance: float = 1e-10
    sample: float | None = None

    @property
    def evaluation(self) -> None:
        """Nothing is logged."""
        return

    def start(self) -> Slopes:
        """No rows."""
        return Slopes()

    def step(self, state: Slopes, block: Block) -> Slopes:
        """Add a block."""
        if block.rows == 0:
            return state
        z, y, alpha = self.task.scores(block, self.theta)[:, 0], block.y, self.alpha
        mu = self.task.loss.link.mean(z)[0]  # type: ignore[attr-defined]
        v = np.ones(y.size) if block.weight is None else block.weight
        _, first, second = rising_sums(y, alpha)
        t = alpha * mu
        g, slope = curve(t)
        left = y * mu / (1.0 + t)
        state.slope += float(v @ (first + mu * mu * g - left))
        state.curvature += float(v @ (second - mu**3 * slope - left * mu / (1.0 + t)))
        state.excess += float(v @ ((y - mu) ** 2 - y))
        state.squares += float(v @ (mu * mu))
        return state

    def merge(self, a: Slopes, b: Slopes) -> Slopes:
        """Add two sums."""
        return Slopes(
            a.slope + b.slope, a.curvature + b.curvature, a.excess + b.excess,
            a.squares + b.squares,
        )  # fmt: skip

    def finish(self, state: Slopes, evaluation: object = None) -> object:
        """Go on with the next alpha."""
        if self.alpha == 0.0:
            if not state.excess > 0.0:
                return self.then(0.0, math.nan, True)
            return self.then(state.excess / state.squares, math.nan, False)
        slope = self.alpha * state.slope  # in log alpha
        curvature = self.alpha**2 * state.curvature - slope
        step = slope / curvature if curvature > 0 else math.copysign(LONGEST, slope)
        step = min(max(step, -LONGEST), LONGEST)
        error = 1.0 / math.sqrt(state.curvature) if state.curvature > 0 else math.nan
        return self.then(self.alpha * math.exp(step), error, abs(step) <= self.tolerance)

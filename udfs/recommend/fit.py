"""What goes into a matrix factorisation, and what comes out.

Throughout: user u of U, item i of I, K factors; r_ui a rating; p_u and q_i the factors (K,) of a
user and an item, b_u and c_i their intercepts, μ the global intercept. The score of a pair is

    s_ui = μ + b_u + c_i + p_u · q_i
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mlpond.udfs.design import Array, IntArray
from mlpond.udfs.recommend.ratings import Ratings

FEEDBACK = ("EXPLICIT", "IMPLICIT", "BPR")
SOLVERS = ("AUTO", "CHOLESKY", "CONJUGATE_GRADIENT")
CHOLESKY_FACTORS = 40  # up to so many factors the exact solver is the faster one
CG_STEPS = 3  # of one half-step, from the last solution: Takács & Pilászy (2011) use as few


@dataclass(frozen=True)
class Options:
    """How to fit; the names are those of the options of CREATE MODEL.

    Attributes:
        feedback_type: EXPLICIT ratings, IMPLICIT counts, or BPR: pairs ranked in the user's order.
        num_factors: K.
        l2_reg: λ, the weight of the sum of squares of all factors and intercepts.
        wals_alpha: How much confidence a unit of implicit feedback adds to 1.
        learn_rate: Step length of BPR.
        solver: CHOLESKY solves every half-step exactly, CONJUGATE_GRADIENT takes a few steps from
            the last solution, AUTO the first up to CHOLESKY_FACTORS factors.
        max_iterations: An iteration updates all users, then all items; for BPR it is as many draws
            as there are ratings.
        early_stop: Whether small progress may end the fit.
        min_rel_progress: Stop once the objective falls by no more than that share of itself.
        seed: Of the factors that the fit starts from, and of the draws.
        threads: Threads that may work at once; the result does not depend on them.
    """

    feedback_type: str = "EXPLICIT"
    num_factors: int = 8
    l2_reg: float = 1.0
    wals_alpha: float = 40.0
    learn_rate: float = 0.05
    solver: str = "AUTO"
    max_iterations: int = 20
    early_stop: bool = True
    min_rel_progress: float = 0.01
    seed: int = 0
    threads: int = 1

    def __post_init__(self) -> None:
        for name, choices in (("feedback_type", FEEDBACK), ("solver", SOLVERS)):
            if getattr(self, name) not in choices:
                raise ValueError(
                    f"Options: {name} is {getattr(self, name)!r}; pass one of {', '.join(choices)}."
                )
        for name in ("num_factors", "max_iterations", "threads"):
            if getattr(self, name) < 1:
                raise ValueError(f"Options: {name} is {getattr(self, name)}; pass 1 or more.")
        for name in ("l2_reg", "wals_alpha", "min_rel_progress"):
            value = getattr(self, name)
            if not (math.isfinite(value) and value >= 0):
                raise ValueError(f"Options: {name} is {value}; pass a finite number, 0 or more.")
        if not (math.isfinite(self.learn_rate) and self.learn_rate > 0):
            raise ValueError(f"Options: learn_rate is {self.learn_rate}; pass a number above 0.")

    @property
    def conjugate(self) -> bool:
        """Whether half-steps are solved by conjugate gradients."""
        if self.solver == "AUTO":
            return self.num_factors > CHOLESKY_FACTORS
        return self.solver == "CONJUGATE_GRADIENT"

    def stops(self, before: float, after: float) -> bool:
        """Whether the progress from one objective to the next is too small to go on."""
        return self.early_stop and before - after <= self.min_rel_progress * abs(before)


@dataclass(frozen=True)
class Iteration:
    """One line of the training log.

    Attributes:
        iteration: From 0.
        loss: Of the training rows. EXPLICIT: mean squared error of the ratings; IMPLICIT: mean
            squared error of the preferences, weighted by confidence, over all pairs; BPR: mean
            of -log of the chance that a drawn pair is in the right order.
        eval_loss: The same of held-out rows, for EXPLICIT; nan if there are none.
        objective: What the fit minimises, penalty included.
        learning_rate: Of BPR; 1 of the half-steps, which go to the minimum at once.
        milliseconds: Time it took.
    """

    iteration: int
    loss: float
    eval_loss: float
    objective: float
    learning_rate: float
    milliseconds: int


@dataclass(frozen=True)
class Factors:
    """One side of the factorisation.

    Attributes:
        factors: Shape (n, K).
        intercept: Shape (n,).
        ratings: How many training ratings each has, shape (n,).
    """

    factors: Array
    intercept: Array
    ratings: IntArray


@dataclass(frozen=True)
class Fit:
    """A fitted factorisation.

    Attributes:
        users: Factors of the users.
        items: Factors of the items.
        global_intercept: μ; 0 unless feedback is explicit.
        rows: Training ratings.
        loss: Of the last iteration.
        objective: Of the last iteration.
        iterations: The training log.
        converged: Whether progress became small before max_iterations.
    """

    users: Factors
    items: Factors
    global_intercept: float
    rows: int
    loss: float
    objective: float
    iterations: tuple[Iteration, ...]
    converged: bool

    def score(self, user: IntArray, item: IntArray) -> Array:
        """Scores of pairs of codes, shape (n,); code -1 is an id that was not seen."""
        scores = np.full(user.size, self.global_intercept)
        for side, code in ((self.users, user), (self.items, item)):
            scores += np.append(side.intercept, 0.0)[code]
        (known,) = np.nonzero((user >= 0) & (item >= 0))
        for first in range(0, known.size, 2**16):
            at = known[first : first + 2**16]
            p, q = self.users.factors[user[at]], self.items.factors[item[at]]  # (m, K) each
            scores[at] += np.einsum("mk,mk->m", p, q)
        return scores


def fitted(
    ratings: Ratings, factors: Sequence[Array], intercepts: Sequence[Array], mean: float,
    log: Sequence[Iteration], converged: bool,
) -> Fit:  # fmt: skip
    """Put a fit together: factors and intercepts of the users, then of the items."""
    users, items = (
        Factors(X, b, rows.counts)
        for X, b, rows in zip(factors, intercepts, (ratings.by_user, ratings.by_item), strict=True)
    )
    last = log[-1] if log else Iteration(0, math.nan, math.nan, math.nan, 1.0, 0)
    return Fit(users, items, mean, ratings.size, last.loss, last.objective, tuple(log), converged)

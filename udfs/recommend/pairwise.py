"""Bayesian personalised ranking: learn that a user likes what they rated more than what not.

    maximise  sum over draws (u, i, j) of ln σ(s_ui - s_uj) - λ/2 |parameters of the draw|²

where i is an item that u rated (how, does not matter) and j one that u did not. A score is the
item's intercept and the product of the factors; an intercept of the user would cancel out.
The loss of an iteration depends on its draws, so small progress does not end the fit: it makes
all of max_iterations. The steps follow one another on one thread, so that the result is the same
at every run.
Source: Rendle, Freudenthaler, Gantner & Schmidt-Thieme (2009), BPR: Bayesian personalized ranking
from implicit feedback, UAI 25.
"""

from __future__ import annotations

import time

import numpy as np

from mlpond.udfs.recommend.fit import Fit, Iteration, Options, fitted
from mlpond.udfs.recommend.ratings import Ratings

START = 0.1  # standard deviation of the factors to begin with


def rank_by_pairs(ratings: Ratings, options: Options) -> Fit:
    """Fit by stochastic gradient steps, in each iteration as many as there are ratings."""
    from mlpond.udfs.recommend.loops import rank_pairs

    rows = ratings.by_user
    K, users, items = options.num_factors, rows.rows, ratings.by_item.rows
    rng = np.random.default_rng(options.seed)
    P = rng.normal(0.0, START, (users, K))
    Q = rng.normal(0.0, START, (items, K))
    c = np.zeros(items)
    user_of = np.repeat(np.arange(users, dtype=np.int32), rows.counts)  # (ratings,)
    counter = np.uint64(rng.integers(2**63))
    log: list[Iteration] = []
    for iteration in range(options.max_iterations):
        began = time.perf_counter()
        total, draws, _, counter = rank_pairs(
            ratings.size, np.uint64(counter), user_of, rows.indptr, rows.index, P, Q, c,
            options.learn_rate, options.l2_reg,
        )  # fmt: skip
        if draws == 0:
            raise ValueError(
                "matrix_factorization: every user rated every item, so there is nothing to "
                "prefer; BPR needs items that a user did not rate."
            )
        loss = total / draws
        if not np.isfinite(loss) or not np.isfinite(P).all():
            raise ValueError(
                f"matrix_factorization: the steps of BPR diverge at learn_rate "
                f"{options.learn_rate:g}; lower it."
            )
        spent = round(1000 * (time.perf_counter() - began))
        log.append(Iteration(iteration, loss, np.nan, loss, options.learn_rate, spent))
    return fitted(ratings, (P, Q), (np.zeros(users), c), 0.0, log, converged=True)

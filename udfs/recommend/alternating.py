"""Alternating least squares: the users' factors given the items', then the other way round.

Each half-step is a ridge regression of every row on its own, and none can raise the objective

    explicit: sum over ratings (r_ui - s_ui)² + λ (|P|² + |b|² + |Q|² + |c|²)
    implicit: sum over all pairs c_ui (p_ui - p_u · q_i)² + λ (|P|² + |Q|²)

with confidence c_ui = 1 + α r_ui and preference p_ui = 1 where r_ui > 0, else 0. The intercept of
a row is fitted together with its factors, as the weight of a column of ones; μ is the mean rating.
Source: Hu, Koren & Volinsky (2008); Koren, Bell & Volinsky (2009), Matrix factorization
techniques for recommender systems.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

from mlpond.udfs.blas import one_thread
from mlpond.udfs.design import Array, IntArray
from mlpond.udfs.recommend.fit import CG_STEPS, Fit, Iteration, Options, fitted
from mlpond.udfs.recommend.ratings import Compressed, Ratings

PIECES = 8  # of the rows, for each thread: whoever is done early takes another

Run = Callable[..., None]


def alternate(
    ratings: Ratings, options: Options, evaluate: Callable[[Fit], float] | None = None
) -> Fit:
    """Fit explicit or implicit feedback.

    Args:
        ratings: The ratings; implicit ones are 0 or more.
        options: How.
        evaluate: The loss of held-out ratings, asked after each iteration.
    """
    explicit = options.feedback_type == "EXPLICIT"
    values = ratings.by_user.value
    if not explicit and values.min() < 0:
        raise ValueError(
            f"matrix_factorization: {int((values < 0).sum())} ratings are below 0; implicit "
            "feedback counts how often, so it needs 0 or more. For likes and dislikes use "
            "feedback_type = 'EXPLICIT'."
        )
    mean = float(values.mean(dtype=np.float64)) if explicit else 0.0
    P, Q = _start(ratings, options, explicit)
    log: list[Iteration] = []
    converged = False
    with one_thread(), ThreadPoolExecutor(options.threads, "mlpond-als") as pool:
        for iteration in range(options.max_iterations):
            began = time.perf_counter()
            _half_step(pool, ratings.by_user, Q, P, mean, options)
            _half_step(pool, ratings.by_item, P, Q, mean, options)
            loss, objective = _objective(pool, ratings.by_item, P, Q, mean, options)
            eval_loss = np.nan
            if evaluate is not None:
                eval_loss = evaluate(_fit(ratings, P, Q, mean, log, options, False))
            spent = round(1000 * (time.perf_counter() - began))
            log.append(Iteration(iteration, loss, eval_loss, objective, 1.0, spent))
            if iteration and options.stops(log[-2].objective, objective):
                converged = True
                break
    return _fit(ratings, P, Q, mean, log, options, converged)


def _start(ratings: Ratings, options: Options, explicit: bool) -> tuple[Array, Array]:
    """Users at 0, items at random; with explicit feedback a last column for the intercepts.

    Exact half-steps work in float64, gradient steps in float32.
    """
    K = options.num_factors
    kind = np.float32 if options.conjugate else np.float64
    P = np.zeros((ratings.by_user.rows, K + explicit), kind)  # (U, d)
    Q = np.zeros((ratings.by_item.rows, K + explicit), kind)  # (I, d)
    rng = np.random.default_rng(options.seed)
    Q[:, :K] = rng.normal(0.0, 1.0 / np.sqrt(K), (Q.shape[0], K))
    return P, Q


def _split(other: Array, mean: float, explicit: bool) -> tuple[Array, Array]:
    """The columns that a half-step regresses on, and what it takes off the ratings."""
    if not explicit:
        return other, np.zeros(other.shape[0])
    F = other.copy()
    F[:, -1] = 1.0
    return F, mean + other[:, -1].astype(np.float64)


def _half_step(
    pool: ThreadPoolExecutor, rows: Compressed, other: Array, X: Array, mean: float,
    options: Options,
) -> None:  # fmt: skip
    """Write the best X, shape (n, d), given the other side, shape (m, d)."""
    from mlpond.udfs.recommend.loops import solve_by_gradients, solve_exactly

    explicit = options.feedback_type == "EXPLICIT"
    F, offset = _split(other, mean, explicit)
    B = options.l2_reg * np.eye(F.shape[1], dtype=X.dtype)  # (d, d)
    if not explicit:
        B += F.T @ F
    arguments = (rows.indptr, rows.index, rows.value, F, offset, B, _alpha(options), X)
    if options.conjugate:
        squares = np.einsum("mk,mk->m", F, F)
        _run(pool, solve_by_gradients, rows, (*arguments, squares, CG_STEPS), options.threads)
    else:
        _run(pool, solve_exactly, rows, arguments, options.threads)


def _alpha(options: Options) -> float:
    return -1.0 if options.feedback_type == "EXPLICIT" else options.wals_alpha


def _objective(
    pool: ThreadPoolExecutor, by_item: Compressed, P: Array, Q: Array, mean: float,
    options: Options,
) -> tuple[float, float]:  # fmt: skip
    """The loss of an iteration, and the objective."""
    from mlpond.udfs.recommend.loops import losses

    explicit = options.feedback_type == "EXPLICIT"
    F, offset = _split(P, mean, explicit)
    each = np.empty(by_item.rows)
    _run(
        pool, losses, by_item,
        (by_item.indptr, by_item.index, by_item.value, F, offset, _alpha(options), Q, each),
        options.threads,
    )  # fmt: skip
    total, weight = float(each.sum()), float(by_item.index.size)
    if not explicit:
        # s² summed over all pairs
        total += float(np.sum((P.T @ P) * (Q.T @ Q), dtype=np.float64))
        pairs = float(P.shape[0]) * Q.shape[0]
        weight = pairs + options.wals_alpha * float(by_item.value.sum(dtype=np.float64))
    squares = sum(float(np.einsum("nk,nk->", X, X, dtype=np.float64)) for X in (P, Q))
    penalty = options.l2_reg * squares
    return total / weight, total + penalty


def _run(
    pool: ThreadPoolExecutor, kernel: Run, rows: Compressed, arguments: tuple[Any, ...],
    threads: int,
) -> None:  # fmt: skip
    """Run a kernel over all rows, in pieces of about as many ratings."""
    pieces = 1 if threads == 1 else PIECES * threads
    cuts = _cuts(rows.indptr, pieces)
    running = [
        pool.submit(kernel, int(first), int(last), *arguments)
        for first, last in zip(cuts[:-1], cuts[1:], strict=True)
        if first < last
    ]
    for piece in running:
        piece.result()


def _cuts(indptr: IntArray, pieces: int) -> IntArray:
    """Where to cut the rows, so that each piece has as much work: ratings, and a few for a row."""
    work = indptr + 16 * np.arange(indptr.size)
    return np.searchsorted(work, np.linspace(0, work[-1], pieces + 1))


def _fit(
    ratings: Ratings, P: Array, Q: Array, mean: float, log: list[Iteration], options: Options,
    converged: bool,
) -> Fit:  # fmt: skip
    K = options.num_factors
    return fitted(
        ratings, [X[:, :K].astype(np.float64) for X in (P, Q)],
        [
            X[:, K].astype(np.float64) if X.shape[1] > K else np.zeros(X.shape[0]) for X in (P, Q)
        ],
        mean, log, converged,
    )  # fmt: skip

"""Bayesian personalised ranking: its gradient, its draws, and what it learns."""

from __future__ import annotations

import numpy as np
import pytest

from mlpond.udfs.recommend import loops
from mlpond.udfs.recommend.fit import Options
from mlpond.udfs.recommend.pairwise import rank_by_pairs
from mlpond.udfs.recommend.ratings import pack

U, I, K = 8, 6, 3


@pytest.fixture(scope="module")
def ratings():
    rng = np.random.default_rng(0)
    seen = rng.random((U, I)) < 0.5
    seen[0] = [True] * (I - 1) + [False]  # leaves one item to draw
    user, item = np.nonzero(seen)
    codes = (user.astype(np.int32), item.astype(np.int32))
    return pack([(*codes, np.ones(user.size, np.float32))], U, I)


def objective(P, Q, c, u, i, j, ridge):
    x = c[i] - c[j] + P[u] @ (Q[i] - Q[j])
    squares = c[i] ** 2 + c[j] ** 2 + P[u] @ P[u] + Q[i] @ Q[i] + Q[j] @ Q[j]
    return -np.logaddexp(0, -x) - ridge / 2 * squares


def test_a_step_follows_the_gradient(ratings):
    rows = ratings.by_user
    user_of = np.repeat(np.arange(U, dtype=np.int32), rows.counts)
    rng = np.random.default_rng(1)
    rate, ridge, h = 1e-3, 0.3, np.finfo(float).eps ** (1 / 3)
    for counter in range(0, 4000, 200):
        before = [rng.normal(size=(U, K)), rng.normal(size=(I, K)), rng.normal(size=I)]
        after = [array.copy() for array in before]
        _, drawn, _, _ = loops.rank_pairs(
            1, np.uint64(counter), user_of, rows.indptr, rows.index, *after, rate, ridge
        )
        assert drawn == 1
        step = [(b - a) / rate for a, b in zip(before, after, strict=True)]
        (u,) = np.nonzero(step[0].any(axis=1))[0]
        pair = np.nonzero(step[1].any(axis=1))[0]
        rated = set(rows.index[rows.indptr[u] : rows.indptr[u + 1]].tolist())
        (i,) = set(pair.tolist()) & rated
        (j,) = set(pair.tolist()) - rated
        for array, moved in zip(before, step, strict=True):
            gradient = np.zeros(array.shape)
            for at in np.ndindex(array.shape):
                value = array[at]
                ends = []
                for shift in (h, -h):
                    array[at] = value + shift
                    ends.append(objective(*before, u, i, j, ridge))
                array[at] = value
                gradient[at] = (ends[0] - ends[1]) / (2 * h)
            # central differences: h² of the third derivative, and rounding / h; the step itself
            # is a difference of numbers of order 1, over the rate
            assert moved == pytest.approx(gradient, abs=1e-8)


def test_draws_are_even():
    drawn = np.array([loops._below(np.uint64(n), 7) for n in range(70_000)])
    counts = np.bincount(drawn, minlength=7)
    # 10,000 each with a standard deviation of 93
    assert np.abs(counts - 10_000).max() < 5 * 93


def test_two_tastes_are_told_apart():
    rng = np.random.default_rng(2)
    user, item = np.nonzero(rng.random((60, 40)) < 0.4)
    same = user % 2 == item % 2  # even users like even items
    user, item = user[same].astype(np.int32), item[same].astype(np.int32)
    options = Options("BPR", 4, l2_reg=0.01, max_iterations=60)
    fit = rank_by_pairs(pack([(user, item, np.ones(user.size, np.float32))], 60, 40), options)
    S = fit.users.factors @ fit.items.factors.T + fit.items.intercept
    liked = (np.arange(60)[:, None] % 2) == (np.arange(40) % 2)
    order = [
        (S[u][liked[u]][:, None] > S[u][~liked[u]]).mean() for u in range(60)
    ]  # area under the ROC curve of each user
    assert np.mean(order) > 0.95
    losses = [step.loss for step in fit.iterations]
    assert losses[0] == pytest.approx(np.log(2), rel=0.1)  # at the start nothing is known
    assert losses[-1] < 0.5 * losses[0]
    assert not fit.users.intercept.any()


def test_steps_that_diverge_are_an_error(ratings):
    options = Options("BPR", 2, l2_reg=100.0, learn_rate=10.0, max_iterations=50)
    with pytest.raises(ValueError, match="diverge at learn_rate 10; lower it"):
        rank_by_pairs(ratings, options)

"""Matrix factorisation against dense solves written the naive way, a closed form, and its laws."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given, settings
from hypothesis import strategies as st

from mlpond.udfs.design import Block
from mlpond.udfs.recommend import loops
from mlpond.udfs.recommend.alternating import alternate
from mlpond.udfs.recommend.fit import Options
from mlpond.udfs.recommend.matrix_factorization import matrix_factorization
from mlpond.udfs.recommend.pairwise import rank_by_pairs
from mlpond.udfs.recommend.ratings import pack
from mlpond.udfs.trainer import Pass, fold

U, I, K = 30, 20, 3


def sample(seed=0, users=U, items=I, share=0.4, low=1):
    """Some pairs with ratings of whole stars, in no order."""
    rng = np.random.default_rng(seed)
    pairs = np.argwhere(rng.random((users, items)) < share)
    pairs = pairs[rng.permutation(len(pairs))]
    return (
        pairs[:, 0].astype(np.int32),
        pairs[:, 1].astype(np.int32),
        rng.integers(low, 6, len(pairs)).astype(np.float32),
    )


def packed(triples, users=U, items=I):
    return pack([triples], users, items)


def dense(triples, users=U, items=I):
    """The matrix of ratings, nan where there is none."""
    matrix = np.full((users, items), np.nan)
    matrix[triples[0], triples[1]] = triples[2]
    return matrix


def start(options, items=I):
    """The items' factors that every fit starts from."""
    rng = np.random.default_rng(options.seed)
    return rng.normal(0, 1 / np.sqrt(options.num_factors), (items, options.num_factors))


def naive_explicit(R, options):
    """The same half-steps, a dense ridge regression at a time."""
    users, items = R.shape
    k, mean, ridge = options.num_factors, np.nanmean(R), options.l2_reg
    P, Q = np.zeros((users, k + 1)), np.zeros((items, k + 1))
    Q[:, :k] = start(options, items)
    for _ in range(options.max_iterations):
        for X, other, rows in ((P, Q, R), (Q, P, R.T)):
            for n, row in enumerate(rows):
                seen = ~np.isnan(row)
                F = np.c_[other[seen, :k], np.ones(seen.sum())]
                target = row[seen] - mean - other[seen, k]
                X[n] = np.linalg.solve(F.T @ F + ridge * np.eye(k + 1), F.T @ target)
    error = R - (mean + P[:, [k]] + Q[:, k] + P[:, :k] @ Q[:, :k].T)
    objective = np.nansum(error**2) + ridge * (np.sum(P**2) + np.sum(Q**2))
    return P, Q, objective


def naive_implicit(R, options):
    """The same over all pairs, with the matrix of confidences written out."""
    users, items = R.shape
    k, ridge = options.num_factors, options.l2_reg
    preference = (np.nan_to_num(R) > 0).astype(float)
    confidence = 1 + options.wals_alpha * np.nan_to_num(R)
    P, Q = np.zeros((users, k)), start(options, items)
    for _ in range(options.max_iterations):
        for X, other, p, c in (
            (P, Q, preference, confidence),
            (Q, P, preference.T, confidence.T),
        ):
            for n in range(len(X)):
                A = other.T @ (c[n][:, None] * other) + ridge * np.eye(k)
                X[n] = np.linalg.solve(A, other.T @ (c[n] * p[n]))
    objective = np.sum(confidence * (preference - P @ Q.T) ** 2)
    return P, Q, objective + ridge * (np.sum(P**2) + np.sum(Q**2))


@pytest.mark.parametrize("threads", [1, 3])
def test_explicit_agrees_with_dense_solves(threads):
    triples = sample()
    options = Options(num_factors=K, max_iterations=4, early_stop=False, threads=threads)
    P, Q, objective = naive_explicit(dense(triples), options)
    fit = alternate(packed(triples), options)
    # eight solves of systems with a condition of some hundreds, each rounding by 1e-13 or so
    assert fit.users.factors == pytest.approx(P[:, :K], rel=1e-9, abs=1e-11)
    assert fit.users.intercept == pytest.approx(P[:, K], rel=1e-9, abs=1e-11)
    assert fit.items.factors == pytest.approx(Q[:, :K], rel=1e-9, abs=1e-11)
    assert fit.items.intercept == pytest.approx(Q[:, K], rel=1e-9, abs=1e-11)
    assert fit.objective == pytest.approx(objective, rel=1e-11)
    R = dense(triples)
    error = R - fit.score(*np.indices(R.shape).reshape(2, -1)).reshape(R.shape)
    assert fit.loss == pytest.approx(np.nanmean(error**2), rel=1e-11)


@pytest.mark.parametrize("alpha", [0.5, 40.0])
def test_implicit_agrees_with_dense_solves(alpha):
    triples = sample(1, low=0)  # a rating of 0 is no preference
    options = Options(
        "IMPLICIT", K, wals_alpha=alpha, max_iterations=4, early_stop=False, threads=2
    )
    P, Q, objective = naive_implicit(dense(triples), options)
    fit = alternate(packed(triples), options)
    assert fit.users.factors == pytest.approx(P, rel=1e-9, abs=1e-11)
    assert fit.items.factors == pytest.approx(Q, rel=1e-9, abs=1e-11)
    # a sum over ratings and a sum over all pairs: their difference loses two digits or so
    assert fit.objective == pytest.approx(objective, rel=1e-10)
    assert fit.global_intercept == 0
    assert not fit.users.intercept.any()
    assert not fit.items.intercept.any()


def test_equal_confidence_gives_the_shrunk_singular_values():
    # Without confidence the optimum is known: the singular values of the preferences less λ
    # (Mazumder, Hastie & Tibshirani 2010, lemma 1 with |A|* = min (|P|² + |Q|²) / 2).
    triples = sample(2)
    preference = (np.nan_to_num(dense(triples)) > 0).astype(float)
    options = Options(
        "IMPLICIT", I, l2_reg=1.7, wals_alpha=0.0, max_iterations=4000, min_rel_progress=1e-15
    )
    fit = alternate(packed(triples), options)
    u, s, vt = np.linalg.svd(preference, full_matrices=False)
    shrunk = (u * np.maximum(s - 1.7, 0)) @ vt
    # the objective is flat near its optimum: 1e-13 of it are the root of that in the scores
    assert fit.users.factors @ fit.items.factors.T == pytest.approx(shrunk, abs=3e-6)


@pytest.mark.parametrize("feedback", ["EXPLICIT", "IMPLICIT"])
@pytest.mark.parametrize("solver", ["CHOLESKY", "CONJUGATE_GRADIENT"])
@settings(deadline=None, max_examples=10)
@given(
    seed=st.integers(0, 10**6),
    share=st.floats(0.05, 1),
    l2_reg=st.sampled_from([0.0, 0.01, 1.0, 50.0]),
    factors=st.integers(1, 8),
)
def test_the_objective_never_rises(feedback, solver, seed, share, l2_reg, factors):
    triples = sample(seed, share=share)
    if not triples[0].size:
        return
    options = Options(
        feedback, factors, l2_reg, solver=solver, seed=seed, max_iterations=8, early_stop=False
    )
    objective = [step.objective for step in alternate(packed(triples), options).iterations]
    assert len(objective) == 8
    # scores are rounded to 1e-16 of a rating, or in gradient steps, which are of float32, to 1e-7
    slack = (1e-12 if solver == "CHOLESKY" else 1e-6) * float(triples[2] @ triples[2])
    assert all(b <= a + slack for a, b in zip(objective, objective[1:], strict=False))


def test_conjugate_gradients_reach_the_exact_solution():
    triples = sample(3)
    rows = packed(triples).by_user
    rng = np.random.default_rng(0)
    F, offset = rng.normal(size=(I, K)).astype(np.float32), rng.normal(size=I)
    B = 0.5 * np.eye(K)
    exact, steps = np.empty((U, K)), rng.normal(size=(U, K)).astype(np.float32)
    given_rows = (0, U, rows.indptr, rows.index, rows.value)
    loops.solve_exactly(*given_rows, F.astype(float), offset, B, -1.0, exact)
    squares = (F * F).sum(axis=1)
    loops.solve_by_gradients(*given_rows, F, offset, B.astype(np.float32), -1.0, steps, squares, 20)
    # float32, sums of some ten terms of order 5, and a least eigenvalue above 0.5
    assert steps == pytest.approx(exact, abs=3e-5)


def test_neither_threads_nor_the_order_of_rows_change_a_bit():
    triples = sample(4)
    order = np.random.default_rng(0).permutation(triples[0].size)
    shuffled = tuple(array[order] for array in triples)
    for feedback in ("EXPLICIT", "IMPLICIT", "BPR"):
        results = []
        for given_triples, threads in ((triples, 1), (shuffled, 1), (shuffled, 3)):
            options = Options(feedback, K, 0.1, max_iterations=3, seed=7, threads=threads)
            ratings = packed(given_triples)
            results.append(
                rank_by_pairs(ratings, options)
                if feedback == "BPR"
                else alternate(ratings, options)
            )
        for other in results[1:]:
            assert (other.users.factors == results[0].users.factors).all()
            assert (other.items.intercept == results[0].items.intercept).all()
            assert other.objective == results[0].objective


def test_a_matrix_of_low_rank_is_completed():
    rng = np.random.default_rng(5)
    users, items = 120, 80
    truth = 3 + rng.normal(size=(users, 1)) + rng.normal(size=items)
    truth = truth + rng.normal(size=(users, 2)) @ rng.normal(size=(2, items))
    seen = rng.random(truth.shape) < 0.3
    user, item = np.nonzero(seen)
    ratings = pack(
        [(user.astype(np.int32), item.astype(np.int32), truth[seen].astype(np.float32))],
        users, items,
    )  # fmt: skip
    options = Options(num_factors=2, l2_reg=1e-3, max_iterations=200, min_rel_progress=1e-5)
    fit = alternate(ratings, options)
    assert fit.converged
    hidden = np.nonzero(~seen)
    error = truth[~seen] - fit.score(*hidden)
    # a penalty of 1e-3 beside sums of some 24 squares of order 1
    assert np.sqrt(np.mean(error**2)) < 0.02 * truth.std()


def test_an_unseen_id_scores_by_the_intercepts():
    fit = alternate(packed(sample()), Options(num_factors=K))
    scores = fit.score(np.array([-1, 4, -1]), np.array([-1, -1, 5]))
    mu = fit.global_intercept
    assert scores.tolist() == [mu, mu + fit.users.intercept[4], mu + fit.items.intercept[5]]


def blocks(triples, size=37):
    for first in range(0, triples[0].size, size):
        at = slice(first, first + size)
        yield Block(
            np.empty((triples[0][at].size, 0)), (triples[0][at], triples[1][at]), (),
            triples[2][at].astype(float),
        )  # fmt: skip


def test_the_trainer_packs_blocks_and_watches_held_out_ratings():
    triples = sample(6, share=0.6)
    kept = tuple(array[40:] for array in triples)
    held = tuple(array[:40] for array in triples)
    first = matrix_factorization(U, I, Options(num_factors=K, max_iterations=5))
    assert isinstance(first, Pass)
    fit = first.finish(fold(first, blocks(kept), 2), fold(first.evaluation, blocks(held), 2))
    alone = alternate(packed(kept), Options(num_factors=K, max_iterations=5))
    assert (fit.items.factors == alone.items.factors).all()
    error = held[2] - fit.score(held[0], held[1])
    assert fit.iterations[-1].eval_loss == pytest.approx(np.mean(error**2), rel=1e-12)
    assert np.isnan(alone.iterations[-1].eval_loss)
    assert fit.users.ratings.tolist() == np.bincount(kept[0], minlength=U).tolist()


def test_packing_sorts_as_scipy_does():
    triples = sample(7, low=1)
    ratings = packed(triples)
    matrix = sp.csr_matrix((triples[2], triples[:2]), shape=(U, I))
    matrix.sort_indices()
    for rows, expected in ((ratings.by_user, matrix), (ratings.by_item, matrix.T.tocsr())):
        expected.sort_indices()
        assert rows.indptr.tolist() == expected.indptr.tolist()
        assert rows.index.tolist() == expected.indices.tolist()
        assert rows.value.tolist() == expected.data.tolist()


def one(user, item, rating):
    return (np.array(user, np.int32), np.array(item, np.int32), np.array(rating, np.float32))


@pytest.mark.parametrize(
    "triples, options, message",
    [
        (one([], [], []), Options(), "there are no ratings"),
        (one([0, 1], [0, 0], [1, np.inf]), Options(), "NaN or infinite"),
        (one([0, 1, 0], [1, 1, 1], [1, 2, 3]), Options(), "1 ratings are of a user and an item"),
        (one([0, 1], [0, 0], [1, -1]), Options("IMPLICIT"), "1 ratings are below 0"),
        (one([0, 0, 1, 1], [0, 1, 0, 1], [1] * 4), Options("BPR"), "every user rated every item"),
    ],
)
def test_what_cannot_be_fitted_is_refused(triples, options, message):
    first = matrix_factorization(2, 2, options)
    with pytest.raises(ValueError, match=message):
        first.finish(fold(first, blocks(triples)))


@pytest.mark.parametrize("feedback", ["EXPLICIT", "IMPLICIT"])
@pytest.mark.parametrize("l2_reg", [0.0, 1.0])
def test_one_user_one_item_and_ids_without_ratings(feedback, l2_reg):
    for triples, users, items in (
        (one([0], [0], [4]), 1, 1),
        (one([0, 0, 0], [0, 1, 2], [4, 2, 3]), 1, 3),
        (one([0, 1, 2], [0, 0, 0], [4, 2, 3]), 3, 1),
        (one([0, 2], [0, 2], [4, 2]), 3, 3),
    ):
        fit = alternate(pack([triples], users, items), Options(feedback, 4, l2_reg))
        scores = fit.score(triples[0], triples[1])
        assert np.isfinite(scores).all()
        assert np.isfinite(fit.users.factors).all()
    assert not fit.users.factors[1].any()  # no rating says anything of it


def test_options_are_checked():
    for options in (
        {"feedback_type": "explicit"}, {"solver": "LU"}, {"num_factors": 0}, {"l2_reg": -1.0},
        {"wals_alpha": np.nan}, {"learn_rate": 0.0},
    ):  # fmt: skip
        with pytest.raises(ValueError, match=f"Options: {next(iter(options))} is"):
            Options(**options)


def test_ratings_come_in_pieces_in_any_order_and_are_given_back():
    user, item, rating = sample()
    whole = packed((user, item, rating))
    shuffled = np.random.default_rng(1).permutation(user.size)
    pieces = [(user[at], item[at], rating[at]) for at in np.array_split(shuffled, 7)]
    ratings = pack(pieces, U, I)
    assert pieces == []
    for a, b in ((ratings.by_user, whole.by_user), (ratings.by_item, whole.by_item)):
        np.testing.assert_array_equal(a.indptr, b.indptr)
        np.testing.assert_array_equal(a.index, b.index)
        np.testing.assert_array_equal(a.value, b.value)

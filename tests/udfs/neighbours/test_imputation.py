"""Imputation from the nearest rows, against scikit-learn and a naive twin."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.impute import KNNImputer

from mlpond.udfs.neighbours.imputation import impute

nan = np.nan


def with_holes(n, p, share, seed):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, p))
    X[rng.random(X.shape) < share] = nan
    return X


@pytest.mark.parametrize("weights", ["uniform", "distance"])
@pytest.mark.parametrize("k", [1, 5, 500])
def test_as_scikit_learn_imputes(weights, k):
    X, Y = with_holes(60, 5, 0.3, 1), with_holes(120, 5, 0.2, 2)
    X[0] = nan  # cannot be compared
    peer = KNNImputer(n_neighbors=k, weights=weights).fit(Y)
    # scikit-learn's distances come from a product that cancels: half the digits where rows are near
    tolerance = 1e-12 if weights == "uniform" else 1e-7
    assert impute(X, Y, k, weights) == pytest.approx(peer.transform(X), rel=tolerance, abs=1e-12)


def naive(X, Y, k, weights):
    """The definition, row by row."""
    out = X.copy()
    for i, c in zip(*np.nonzero(np.isnan(X)), strict=True):
        found = []
        for j, y in enumerate(Y):
            both = ~np.isnan(X[i]) & ~np.isnan(y)
            if not np.isnan(y[c]) and both.any():
                found.append((np.sum((X[i][both] - y[both]) ** 2) / both.sum(), j, y[c]))
        near = sorted(found)[:k]
        if not near:
            values = Y[~np.isnan(Y[:, c]), c]
            out[i, c] = values.mean() if len(values) else nan
        elif weights == "distance" and near[0][0] > 0:
            share = [1 / np.sqrt(d) for d, _, _ in near]
            out[i, c] = np.average([v for _, _, v in near], weights=share)
        else:
            same = weights == "distance"
            out[i, c] = np.mean([v for d, _, v in near if d == 0 or not same])
    return out


cells = st.integers(-3, 3).map(float) | st.just(nan)  # with ties, and rows that are equal


@settings(deadline=None, max_examples=20)
@given(
    x=st.lists(st.tuples(cells, cells, cells), min_size=1, max_size=8),
    y=st.lists(st.tuples(cells, cells, cells), min_size=1, max_size=12),
    k=st.integers(1, 4),
    weights=st.sampled_from(["uniform", "distance"]),
)
def test_the_definition(x, y, k, weights):
    X, Y = np.array(x), np.array(y)
    expected = naive(X, Y, k, weights)
    assert impute(X, Y, k, weights) == pytest.approx(expected, rel=1e-12, abs=1e-12, nan_ok=True)


def test_far_from_0_no_digit_is_lost():
    Y = 1e8 + np.array([[0.0, 1.0], [1.0, 2.0], [3.0, 4.0]])
    assert impute(np.array([[1e8 + 1.0, nan]]), Y, 1)[0, 1] == 1e8 + 2.0


def test_edges():
    Y = np.array([[1.0, nan], [3.0, nan]])
    assert np.isnan(impute(Y, Y)[:, 1]).all()  # nothing to learn from
    full = np.array([[1.0, 2.0]])
    assert np.array_equal(impute(full, np.empty((0, 2))), full)
    assert np.isnan(impute(np.array([[nan, 1.0]]), np.empty((0, 2)))[0, 0])
    assert impute(np.empty((0, 2)), Y).shape == (0, 2)
    assert np.array_equal(Y, [[1.0, nan], [3.0, nan]], equal_nan=True)  # left as it was


@pytest.mark.parametrize(
    "arguments, message",
    [
        ((np.zeros((2, 3)), np.zeros((2, 2))), "p must be the same"),
        ((np.zeros((2, 2)), np.zeros((2, 2)), 0), "k is 0"),
        ((np.zeros((2, 2)), np.zeros((2, 2)), 1, "near"), "weights 'near'"),
    ],
)
def test_what_is_not_accepted(arguments, message):
    with pytest.raises(ValueError, match=f"impute: .*{message}"):
        impute(*arguments)

"""Principal components against scikit-learn, and BigQuery's rules for one-hot columns."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pytest import approx
from sklearn.decomposition import PCA

from mlpond.udfs.decomposition.components import Options, signed
from mlpond.udfs.decomposition.pca import pca
from mlpond.udfs.linear.fit import Moments
from tests.udfs.fitting import blocks, layout_of, moments, one_hot, standardised, train


def table(n=300, p=6, seed=1):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(n, p)) @ rng.normal(size=(p, p)) + 100.0 * np.arange(p)


def fit(X, codes=(), cardinalities=(), sizes=None, given=None, **options):
    if "pca_explained_variance_ratio" not in options:
        options.setdefault("num_principal_components", 3)
    y = np.zeros(len(X))
    first = pca(layout_of(X, cardinalities), given or moments(X), Options(**options))
    return train(first, blocks(X, y, codes, sizes=sizes))


@pytest.mark.parametrize("solver", ["FULL", "RANDOMIZED"])
@pytest.mark.parametrize("scale", [True, False])
def test_agrees_with_scikit_learn(solver, scale):
    X = table()
    found = fit(X, scale_features=scale, pca_solver=solver, sizes=[100, 150, 50])
    Z = standardised(X) if scale else X
    theirs = PCA(3, svd_solver="full").fit(Z)
    # a Gram matrix rounds by 2**-53 of its largest entry for every row
    assert found.eigenvalues == approx(theirs.explained_variance_, rel=1e-11)
    assert found.explained_variance_ratio == approx(theirs.explained_variance_ratio_, rel=1e-11)
    # RANDOMIZED stops when eigenvalues rest to 1e-10, and vectors are known to its square root
    error = 1e-11 if solver == "FULL" else 1e-5
    assert found.components == approx(signed(theirs.components_), abs=error)
    assert found.mean == approx(X.mean(axis=0), rel=1e-14)
    assert np.abs(found.transform(X)) == approx(np.abs(theirs.transform(Z)), abs=100 * error)


def test_one_hot_columns_are_not_centred():
    X = table(p=2)
    codes = np.arange(300) % 3 - (np.arange(300) % 7 == 0)  # -1: no category
    Z = np.hstack([standardised(X), one_hot(codes, 3)])
    values, vectors = np.linalg.eigh(Z.T @ Z / 299)
    found = fit(X, (codes,), (3,), num_principal_components=5)
    assert found.eigenvalues == approx(values[::-1], rel=1e-12)
    assert found.components == approx(signed(vectors[:, ::-1].T), abs=1e-10)
    assert found.total_variance == approx(np.trace(Z.T @ Z) / 299, rel=1e-13)


def test_a_share_of_the_variance_takes_the_fewest_components():
    X = table()
    for share in (0.3, 0.8, 0.99):
        found = fit(X, pca_explained_variance_ratio=share)
        reached = np.cumsum(found.explained_variance_ratio)
        assert reached[-1] >= share
        assert len(reached) == 1 or reached[-2] < share


def test_the_mean_need_only_be_near():
    X = table()
    exact = moments(X)
    near = Moments(exact.mean + 0.3 * exact.sd, exact.sd, exact.rows)
    assert fit(X, given=near).eigenvalues == approx(fit(X).eigenvalues, rel=1e-13)
    found = fit(X, given=near, pca_solver="RANDOMIZED")
    assert found.eigenvalues == approx(fit(X).eigenvalues, rel=1e-11)


def test_randomised_on_many_columns():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(400, 5)) @ rng.normal(size=(5, 300)) + 0.1 * rng.normal(size=(400, 300))
    found = fit(X, num_principal_components=5, pca_solver="RANDOMIZED", scale_features=False)
    values = np.linalg.eigvalsh(np.cov(X.T))[::-1]
    assert found.converged
    assert found.eigenvalues == approx(values[:5], rel=1e-9)
    assert found.total_variance == approx(values.sum(), rel=1e-12)


def test_constant_columns_explain_nothing():
    X = table()
    X[:, 1] = 1e8 / 3
    found = fit(X, num_principal_components=6)
    assert found.constant == (1,)
    assert found.eigenvalues[-1] == approx(0.0, abs=1e-12)
    assert found.components[:5, 1] == approx(0.0, abs=1e-12)
    all_constant = fit(np.ones((5, 2)), num_principal_components=1)
    assert all_constant.eigenvalues.tolist() == [0.0]
    assert np.isnan(all_constant.explained_variance_ratio).all()


@settings(deadline=None, max_examples=20)
@given(seed=st.integers(0, 2**32 - 1), n=st.integers(2, 40), p=st.integers(1, 6))
def test_law_components_are_orthonormal_and_rebuild_the_matrix(seed, n, p):
    X = np.random.default_rng(seed).normal(size=(n, p))
    found = fit(X, num_principal_components=p, scale_features=False, sizes=[1, n - 1])
    V = found.components
    gram = V @ V.T
    assert gram == approx(np.eye(p), abs=1e-12)
    assert V.T @ np.diag(found.eigenvalues) @ V == approx(np.cov(X.T).reshape(p, p), abs=1e-12)
    assert found.eigenvalues.sum() == approx(found.total_variance, rel=1e-12)


def test_bad_requests():
    X = table()
    with pytest.raises(ValueError, match="exactly one of"):
        Options()
    with pytest.raises(ValueError, match="share in"):
        Options(pca_explained_variance_ratio=1.0)
    with pytest.raises(ValueError, match="pass 1 to 6"):
        fit(X, num_principal_components=7)
    with pytest.raises(ValueError, match="needs all eigenvalues"):
        fit(X, pca_explained_variance_ratio=0.5, pca_solver="RANDOMIZED")
    with pytest.raises(ValueError, match="at least 2"):
        fit(X[:1], given=moments(X), num_principal_components=1)

"""Machines with a kernel against scikit-learn's libsvm, and the laws of their dual."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pytest import approx
from sklearn.metrics.pairwise import polynomial_kernel, rbf_kernel
from sklearn.svm import SVC, SVR

from mlpond.udfs.svm.fit import Options
from mlpond.udfs.svm.kernel_machine import KernelFit, dual, kernel_svm
from mlpond.udfs.svm.kernels import Kernel, default_gamma
from mlpond.udfs.svm.linear import linear_svm
from mlpond.udfs.svm.random_features import Mapped, feature_moments, random_features
from mlpond.udfs.svm.smo import Cache, smo
from mlpond.udfs.trainer import fold
from tests.udfs.fitting import blocks, layout_of, moments, standardised, train


def table(n=300, p=3, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, p)) * 2 + 4
    f = (X[:, 0] - 4) * (X[:, 1] - 4) + X[:, 2]
    return X, (f + rng.normal(size=n) > 4).astype(float), f + rng.normal(size=n)


def fit(X, y, kernel="RBF", weight=None, sizes=None, classes=2, gamma=None, coef0=0.0, **options):
    first = kernel_svm(
        layout_of(X), moments(X), Options(**options), kernel, gamma, coef0, classes=classes
    )
    found = first.finish(fold(first, blocks(X, y, weight=weight, sizes=sizes)))
    assert isinstance(found, KernelFit)
    return found


def primal(K, b, threshold, y, l2, epsilon=None):
    z = K @ b + threshold
    u = 1 - (2 * y - 1) * z if epsilon is None else np.abs(z - y) - epsilon
    return float(np.maximum(u, 0).sum()) + l2 / 2 * float(b @ K @ b)


@pytest.mark.parametrize("l2", [0.05, 1.0])
@pytest.mark.parametrize("kernel", ["RBF", "POLYNOMIAL", "LINEAR"])
def test_classifiers_reach_libsvms_optimum(kernel, l2):
    X, y, _ = table()
    Z = standardised(X)
    found = fit(X, y, kernel, coef0=1.0, l2_reg=l2, sizes=[100, 200])
    name = {"RBF": "rbf", "POLYNOMIAL": "poly", "LINEAR": "linear"}[kernel]
    theirs = SVC(C=1 / l2, kernel=name, gamma="scale", coef0=1.0, tol=1e-7).fit(Z, y)
    K = Kernel(kernel, default_gamma(Z), 1.0).matrix(Z, Z)
    b = np.zeros(300)
    b[theirs.support_] = theirs.dual_coef_[0]
    best = primal(K, b, theirs.intercept_[0], y, l2)
    assert found.converged
    # the primal of a dual that is 1e-4 short in the worst pair
    assert found.objective == approx(best, rel=1e-6 if kernel == "RBF" else 1e-5)
    assert found.decide(X)[:, 0] == approx(theirs.decision_function(Z), abs=2e-3)
    assert abs(found.coefficients).max() <= 1 / l2 * (1 + 1e-12)
    assert found.coefficients.sum() == approx(0.0, abs=1e-9 / l2)


def test_regression_reaches_libsvms_optimum():
    X, _, y = table()
    Z = standardised(X)
    found = fit(X, y, is_regression=True, epsilon=0.2)
    theirs = SVR(kernel="rbf", epsilon=0.2, tol=1e-7).fit(Z, y)
    K = rbf_kernel(Z, Z, default_gamma(Z))
    b = np.zeros(300)
    b[theirs.support_] = theirs.dual_coef_[0]
    assert found.objective == approx(primal(K, b, theirs.intercept_[0], y, 1.0, 0.2), rel=1e-6)
    assert found.scores[0] == approx(found.decide(found.raw)[:, 0], abs=1e-8)


def test_the_linear_kernel_is_the_linear_machine():
    X, y, _ = table()
    primal_fit = train(linear_svm(layout_of(X), moments(X), Options()), blocks(X, y))
    dual_fit = fit(X, y, "LINEAR")
    w = (dual_fit.coefficients @ dual_fit.vectors)[0]
    # the objective is flat: a distance of 1e-7 in it is 3e-4 in the weights
    assert w == approx(primal_fit.standardised[0], abs=2e-3)
    assert dual_fit.objective == approx(primal_fit.objective, rel=1e-5)


def test_classes_are_one_against_the_rest_and_share_the_cache():
    X, _, f = table()
    y = np.digitize(f, [2.0, 5.0]).astype(float)
    found = fit(X, y, classes=3)
    assert found.coefficients.shape[0] == 3
    for k in range(3):
        alone = fit(X, (y == k).astype(float))
        assert found.decide(X)[:, k] == approx(alone.decide(X)[:, 0], abs=1e-3)


def test_a_small_cache_and_shrinking_change_nothing():
    X, y, _ = table(n=600)
    Z = standardised(X)
    problem = dual(y, np.ones(600), Options(l2_reg=0.01))
    kernel = Kernel("RBF", 0.5)
    whole = smo(Cache(Z, kernel), problem)
    small = smo(Cache(Z, kernel, limit=1), problem)
    assert small.objective == approx(whole.objective, rel=1e-9)
    g = kernel.matrix(Z, Z) @ small.b + problem.linear
    # rows of K are float32 in the steps; a variable set aside is summed again in double
    assert small.gradient == approx(g, abs=1e-4)


def test_weights_scale_the_box():
    X, y, _ = table()
    weight = np.where(y == 1, 3.0, 1.0)
    found = fit(X, y, weight=weight)
    Z = standardised(X)
    theirs = SVC(kernel="rbf", class_weight={1: 3.0, 0: 1.0}, tol=1e-7).fit(Z, y)
    assert found.decide(X)[:, 0] == approx(theirs.decision_function(Z), abs=2e-3)
    none = fit(X, y, weight=np.where(np.arange(300) < 200, 1.0, 0.0))
    few = fit(X[:200], y[:200], gamma=none.kernel.gamma)
    assert len(none.vectors) > 0
    assert few.rows == 200


@settings(deadline=None, max_examples=20)
@given(seed=st.integers(0, 2**32 - 1), n=st.integers(4, 60), l2=st.floats(0.01, 10))
def test_law_optimality_conditions(seed, n, l2):
    rng = np.random.default_rng(seed)
    Z = rng.normal(size=(n, 2))
    y = np.r_[0.0, 1.0, rng.integers(0, 2, n - 2)]
    problem = dual(y, np.ones(n), Options(l2_reg=l2))
    found = smo(Cache(Z, Kernel("RBF", 1.0)), problem)
    b = found.b
    assert abs(b.sum()) <= 1e-9 * n / l2
    assert np.all((b >= problem.lower) & (b <= problem.upper))
    s, f = 2 * y - 1, rbf_kernel(Z, Z, 1.0) @ b + found.threshold
    alpha = np.round(s * b * l2, 9)
    slack = 2e-4  # the tolerance, on either side of the threshold
    assert np.all(s[alpha <= 0] * f[alpha <= 0] >= 1 - slack)
    assert np.all(s[alpha >= 1] * f[alpha >= 1] <= 1 + slack)
    free = (alpha > 0) & (alpha < 1)
    assert s[free] * f[free] == approx(1.0, abs=slack)


def test_kernels_agree_with_scikit_learn():
    X, _, _ = table(n=20)
    Y = X[:7] + 1.0
    assert Kernel("RBF", 0.3).matrix(X, Y) == approx(rbf_kernel(X, Y, 0.3), rel=1e-11)
    expected = polynomial_kernel(X, Y, degree=2, gamma=0.3, coef0=1.5)
    assert Kernel("POLYNOMIAL", 0.3, 1.5, 2).matrix(X, Y) == approx(expected, rel=1e-13)
    for name in ("RBF", "POLYNOMIAL", "LINEAR"):
        kernel = Kernel(name, 0.1)
        assert kernel.diagonal(X) == approx(np.diag(kernel.matrix(X, X)), rel=1e-13)


def test_random_features_come_near_the_kernel():
    X, y, _ = table(n=200)
    Z = standardised(X)
    D = 300
    phi = random_features(layout_of(X), moments(X), 0.3, D, seed=1)
    near = phi(X) @ phi(X).T
    # every entry is a mean of D products within [-2, 2]: five standard errors
    assert near == approx(rbf_kernel(Z, Z, 0.3), abs=5 / np.sqrt(D))
    inner = linear_svm(layout_of(np.zeros((0, D))), feature_moments(moments(X), D), Options())
    found = train(Mapped(inner, layout_of(X), phi), blocks(X, y, sizes=[120, 80]))
    exact = fit(X, y, gamma=0.3)
    agreed = (phi(X) @ found.coefficients[0] + found.intercept > 0) == (exact.decide(X)[:, 0] > 0)
    assert agreed.mean() > 0.85


def test_edges():
    X, y, _ = table(n=50)
    duplicated = fit(np.vstack([X, X]), np.r_[y, 1 - y])  # every row in both classes
    assert duplicated.converged
    assert duplicated.decide(X) == approx(0.0, abs=1e-3)
    assert len(fit(X, np.ones(50)).vectors) == 0  # one class: nothing to tell apart
    with pytest.raises(ValueError, match="no training rows"):
        fit(X[:0], y[:0])
    with pytest.raises(ValueError, match="use HINGE"):
        fit(X, y, loss="SQUARED_HINGE")
    with pytest.raises(ValueError, match="pass one of"):
        Kernel("SIGMOID")
    for bad in ({"gamma": 0.0}, {"degree": 0}, {"coef0": np.inf}):
        with pytest.raises(ValueError, match="svm: "):
            Kernel("POLYNOMIAL", **bad)

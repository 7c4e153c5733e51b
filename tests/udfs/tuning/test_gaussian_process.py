"""The Gaussian process against the direct formulas and scikit-learn's, and its laws."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import Matern

from mlpond.udfs.tuning import gaussian_process as gp


@pytest.fixture(scope="module")
def data():
    rng = np.random.default_rng(3)
    X = rng.random((18, 2))
    return X, np.sin(5 * X[:, 0]) + X[:, 1] ** 2 + 0.05 * rng.standard_normal(18)


THETA = np.log([0.4, 0.9, 1e-2])


def test_kernel_is_scikit_learns(data):
    X, _ = data
    expected = Matern(length_scale=[0.4, 0.9], nu=2.5)(X, X[:5])
    assert gp.matern(X, X[:5], THETA[:-1]) == pytest.approx(expected, rel=1e-12)


def test_mean_and_likelihood_by_the_direct_formulas(data):
    X, y = data
    found = gp.at(X, y, THETA)
    C = Matern(length_scale=[0.4, 0.9], nu=2.5)(X) + 0.01 * np.eye(len(X))
    inverse, ones = np.linalg.inv(C), np.ones(len(X))
    mean = ones @ inverse @ y / (ones @ inverse @ ones)
    scale = (y - mean) @ inverse @ (y - mean) / len(X)
    # C has a condition number of some 1e3
    assert found.mean == pytest.approx(mean, rel=1e-10)
    assert found.scale == pytest.approx(scale, rel=1e-10)
    # the normal density of y itself, less the constants of the concentrated likelihood
    density = stats.multivariate_normal(np.full(len(X), mean), scale * C).logpdf(y)
    constant = len(X) / 2 * (1 + math.log(2 * math.pi))
    assert -found.negative_log_likelihood - constant == pytest.approx(density, rel=1e-10)


def test_predictions_agree_with_scikit_learn(data):
    X, y = data
    found = gp.at(X, y, THETA)
    new = np.random.default_rng(4).random((7, 2))
    peer = GaussianProcessRegressor(
        Matern(length_scale=[0.4, 0.9], nu=2.5), alpha=0.01, optimizer=None
    ).fit(X, y - found.mean)
    mean, sd = peer.predict(new, return_std=True)
    ours, our_sd = found.predict(new)
    assert ours == pytest.approx(mean + found.mean, rel=1e-10)
    # scikit-learn takes the mean as known; ours adds that it is not
    k, ones = gp.matern(X, new, THETA[:-1]), np.ones(len(X))
    inverse = np.linalg.inv(gp.matern(X, X, THETA[:-1]) + 0.01 * np.eye(len(X)))
    extra = (1 - ones @ inverse @ k) ** 2 / (ones @ inverse @ ones)
    assert our_sd**2 == pytest.approx(found.scale * (sd**2 + extra), rel=1e-9)


def test_slope_is_the_difference_quotient(data):
    X, y = data
    slope, curvature = gp.gradient(gp.at(X, y, THETA))
    h = np.finfo(float).eps ** (1 / 3)
    for i, unit in enumerate(np.eye(3)):
        above, below = (gp.at(X, y, THETA + s * h * unit).negative_log_likelihood for s in (1, -1))
        # central differences: an error of h² times a third derivative of order 10
        assert slope[i] == pytest.approx((above - below) / (2 * h), rel=1e-6, abs=1e-8)
    assert np.all(np.linalg.eigvalsh(curvature) > 0)


def test_fit_is_a_maximum(data):
    X, y = data
    found = gp.fit(X, y)
    assert found.negative_log_likelihood <= gp.at(X, y, THETA).negative_log_likelihood
    slope, _ = gp.gradient(found)
    low = np.array([gp.LENGTHS[0]] * 2 + [gp.NOISE[0]])
    high = np.array([gp.LENGTHS[1]] * 2 + [gp.NOISE[1]])
    inside = (found.theta > low) & (found.theta < high)
    assert abs(slope[inside]) == pytest.approx(0, abs=1e-3)
    grid = np.random.default_rng(0).uniform(low, high, (200, 3))
    assert all(
        found.negative_log_likelihood <= gp.at(X, y, theta).negative_log_likelihood + 1e-9
        for theta in grid
    )


def test_a_constant_and_two_equal_points():
    X = np.array([[0.1], [0.5], [0.5], [0.9]])
    mean, sd = gp.fit(X, np.full(4, 3.0)).predict(X)
    assert mean == pytest.approx([3, 3, 3, 3], rel=1e-9)
    assert np.all(sd < 1e-6)
    mean, _ = gp.fit(X, np.array([1.0, 2.0, 4.0, 5.0])).predict(X[1:2])
    assert 2 < mean[0] < 4
    with pytest.raises(ValueError, match="at least 2 points"):
        gp.fit(X[:1], np.ones(1))


def test_expected_improvement_is_the_integral():
    mean, sd = np.array([0.0, 1.0, -2.0, 0.5, 0.0]), np.array([1.0, 0.5, 0.1, 3.0, 0.0])
    found = gp.log_expected_improvement(mean, sd, 0.3)
    for m, s, log in zip(mean[:4], sd[:4], found[:4], strict=True):
        value = np.linspace(m - 12 * s, 0.3, 200_001)
        integral = np.trapezoid((0.3 - value) * stats.norm.pdf(value, m, s), value)
        assert log == pytest.approx(math.log(integral), abs=1e-6)  # the step squared
    assert found[4] == -math.inf


def test_expected_improvement_far_from_the_best():
    z = np.array([-5.9, -6.1, -20.0, -200.0])
    found = gp.log_expected_improvement(-z, np.ones(4), 0.0)
    assert np.all(np.isfinite(found))
    assert np.all(np.diff(found) < 0)
    # φ(z) / z² errs by the share 3 / z²
    exact = math.log(stats.norm.pdf(6.1) - 6.1 * stats.norm.sf(6.1))
    assert found[1] == pytest.approx(exact, abs=3 / 6.1**2)

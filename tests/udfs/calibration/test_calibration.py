"""Calibration kernels against scikit-learn, scipy and their definitions."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from pytest import approx
from scipy import optimize, special
from sklearn.calibration import _sigmoid_calibration
from sklearn.isotonic import IsotonicRegression

from mlpond.udfs.calibration.isotonic import isotonic
from mlpond.udfs.calibration.scaling import logits, platt, temperature


def scored(n=400, seed=1):
    rng = np.random.default_rng(seed)
    z = rng.normal(size=n)
    return z, (rng.random(n) < special.expit(2 * z - 0.5)).astype(float)


def test_platt_agrees_with_scikit_learn():
    z, y = scored()
    slope, intercept = platt(z, y)
    a, b = _sigmoid_calibration(z, y)  # of 1 / (1 + exp(a z + b)), by L-BFGS to about 1e-6
    assert (slope, intercept) == approx((-a, -b), rel=1e-4)


def test_platt_of_separated_classes_is_finite():
    slope, intercept = platt(np.array([-2.0, -1.0, 1.0, 2.0]), np.array([0.0, 0.0, 1.0, 1.0]))
    assert np.isfinite([slope, intercept]).all()
    assert slope > 0
    with pytest.raises(ValueError, match="one class"):
        platt(np.array([1.0, 2.0]), np.array([1.0, 1.0]))


def test_temperature_is_the_minimum():
    rng = np.random.default_rng(3)
    z = 3 * rng.normal(size=(500, 4))
    y = np.array([rng.choice(4, p=p) for p in special.softmax(z / 2.5, axis=1)])

    def loss(inverse):
        return -special.log_softmax(z * inverse, axis=1)[np.arange(500), y].sum()

    best = optimize.minimize_scalar(loss, bounds=(0.05, 5), options={"xatol": 1e-12})
    # a minimum found by values alone is known to the root of their rounding
    assert 1 / temperature(z, y) == approx(best.x, rel=1e-6)


@given(arrays(float, 30, elements=st.integers(0, 6).map(float)), st.randoms(use_true_random=False))
def test_isotonic_agrees_with_scikit_learn(x, random):
    y = np.array([float(random.random() < 0.3 + 0.1 * v) for v in x])
    knots, values = isotonic(x, y)
    expected = IsotonicRegression(out_of_bounds="clip").fit(x, y)
    at = np.linspace(-1, 7, 33)
    assert np.interp(at, knots, values) == approx(expected.predict(at), rel=1e-12, abs=1e-14)
    assert (np.diff(values) >= 0).all()


def test_logits_of_certainty_are_finite():
    assert logits(np.array([0.0, 0.5, 1.0])) == approx([-34.5, 0.0, 34.5], abs=0.1)

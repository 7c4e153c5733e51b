import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlpond.udfs.linear.coordinate_descent import coordinate_descent

approx = pytest.approx


def quadratic(seed, p, rank):
    rng = np.random.default_rng(seed)
    A = rng.normal(size=(rank, p))
    return A.T @ A, A.T @ rng.normal(size=rank), rng


@given(st.integers(0, 2**32), st.integers(1, 8), st.integers(1, 12), st.floats(0.1, 5))
@settings(max_examples=80)
def test_the_optimality_conditions_hold(seed, p, rank, penalty):
    H, g, rng = quadratic(seed, p, rank)
    l1 = np.where(rng.random(p) < 0.3, 0.0, penalty)
    w, converged = coordinate_descent(H, g, l1, np.zeros(p))
    slack = 1e-6 * (1 + np.abs(g).max())
    gradient = H @ w - g
    # where w is not 0 the gradient is -l1 · sign(w), elsewhere within ±l1. An exact solve leaves
    # rounding, 1e-10 or so; plain descent on a singular H stops at steps of 1e-13, which its
    # small eigenvalues may hide a larger gradient from
    # with fewer rows than columns a small penalty may take more sweeps than there are
    assert converged or rank < p
    moved = w != 0
    assert (np.abs(gradient + l1 * np.sign(w))[moved] <= slack).all()
    assert (np.abs(gradient)[~moved] <= l1[~moved] + slack).all()


def test_no_penalty_solves_the_equations():
    H, g, _ = quadratic(1, 5, 20)
    w, _ = coordinate_descent(H, g, np.zeros(5), np.zeros(5))
    # condition about 30, twelve roundings
    assert w == approx(np.linalg.solve(H, g), rel=1e-12)


def test_a_column_without_variation_keeps_weight_zero():
    H, g, _ = quadratic(2, 4, 9)
    H[2], H[:, 2], g[2] = 0, 0, 0
    w, converged = coordinate_descent(H, g, np.full(4, 0.1), np.ones(4))
    assert w[2] == 0
    assert converged


def test_correlated_columns_are_solved_to_the_last_digit():
    # Descent alone moves by 1 - 0.999999² = 2e-6 of the gap a sweep and would stop far off.
    H = np.array([[1.0, 0.999999], [0.999999, 1.0]])
    g = np.array([1.0, 0.999]) - 3.0
    l1 = np.full(2, 0.5)
    w, converged = coordinate_descent(H, g, l1, np.zeros(2))
    assert converged
    assert w[0] == 0  # of two columns that pull alike the stronger stays: g - l1 sign(w) = -1.501
    assert w[1] == approx(-1.501, rel=1e-14)
    both, _ = coordinate_descent(H, np.array([1.0, -1.0]), np.full(2, 0.1), np.zeros(2))
    # signs + and -: (1 - 0.999999) w = 0.9 by symmetry; the difference keeps ten digits
    assert both == approx(np.array([0.9, -0.9]) / 1e-6, rel=1e-9)

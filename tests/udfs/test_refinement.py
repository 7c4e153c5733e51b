"""Refined least squares against its exact solution in fractions."""

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from fitting import blocks, layout_of, moments, one_hot, train
from hypothesis import given, settings
from hypothesis import strategies as st
from nist import NIST
from pytest import approx
from test_nist import arrays

from mlpond.udfs.linear.fit import Options
from mlpond.udfs.linear.linear_regression import linear_regression
from mlpond.udfs.linear.twofold import total, two_product, two_sum

# Correctly rounded but for the rare value that lies halfway between two doubles, where the last
# bit may fall either way.
LAST_BIT = 2.0**-52


def exact(X, y, has_intercept=True, weight=None):
    """Weights, the intercept last, and the sum of squared residuals, in fractions."""
    rows = [[Fraction(float(x)) for x in row] + [Fraction(1)] * has_intercept for row in X]
    v = [Fraction(float(w)) for w in (np.ones(len(rows)) if weight is None else weight)]
    label = [Fraction(float(value)) for value in y]
    q = len(rows[0])
    A = [
        [sum(w * row[i] * row[j] for w, row in zip(v, rows, strict=True)) for j in range(q)]
        + [sum(w * row[i] * t for w, row, t in zip(v, rows, label, strict=True))]
        for i in range(q)
    ]
    for k in range(q):
        for i in range(q):
            if i != k:
                factor = A[i][k] / A[k][k]
                A[i] = [a - factor * b for a, b in zip(A[i], A[k], strict=True)]
    b = [A[i][q] / A[i][i] for i in range(q)]
    rss = sum(
        w * (t - sum(x * c for x, c in zip(row, b, strict=True))) ** 2
        for w, row, t in zip(v, rows, label, strict=True)
    )
    return [float(c) for c in b], float(rss)


def fitted(X, y, **given):
    options = Options(fit_intercept=given.pop("has_intercept", True), calculate_p_values=True)
    first = linear_regression(layout_of(X), moments(X, y), options)
    return train(first, blocks(X, y, **given))


@pytest.mark.parametrize("name", NIST)
def test_is_the_exact_solution_of_the_doubles(name):
    X, y = arrays(name)
    has_intercept = NIST[name].has_intercept
    b, rss = exact(X, y, has_intercept)
    fit = fitted(X, y, has_intercept=has_intercept)
    got = [*fit.coefficients[0], *fit.intercept][: len(b)]
    assert got == approx(b, rel=LAST_BIT, abs=0)
    # A sum of squares rounds once a row. Of Wampler1, whose residuals are 0, what twice the
    # precision leaves of fitted values up to 3e6: 2**-100 of each, squared.
    assert fit.loss * y.size == approx(rss, rel=1e-14, abs=1e-40)


def test_row_weights_are_exact_too():
    rng = np.random.default_rng(1)
    X = 1e6 + rng.normal(size=(40, 3))  # centring takes six digits
    weight = rng.uniform(0, 3, 40)
    weight[:5] = 0.0
    y = X @ np.array([1.0, -2.0, 0.5]) + rng.normal(size=40)
    b, rss = exact(X, y, weight=weight)
    fit = fitted(X, y, weight=weight)
    assert [*fit.coefficients[0], *fit.intercept] == approx(b, rel=LAST_BIT, abs=0)
    assert fit.loss * weight.sum() == approx(rss, rel=1e-14)  # a rounding a row


def test_complete_one_hot_columns_keep_the_shortest_weights():
    rng = np.random.default_rng(2)
    X, codes = rng.normal(50, 1, size=(60, 1)), rng.integers(0, 3, 60)
    y = X[:, 0] + codes + rng.normal(size=60)
    first = linear_regression(layout_of(X, (3,)), moments(X, y))
    fit = train(first, blocks(X, y, (codes,)))
    b, _ = exact(np.hstack([X, one_hot(codes, 3)[:, 1:]]), y)  # the first category as reference
    w = fit.coefficients[0]
    # Differences of categories are what the data say: a rounding of each of the two.
    assert [w[0], w[2] - w[1], w[3] - w[1]] == approx(b[:3], rel=1e-14)
    assert w[1:].sum() == approx(0.0, abs=1e-14)  # of three numbers below 3


@settings(max_examples=20)
@given(st.lists(st.integers(1, 29), max_size=4, unique=True), st.permutations(range(30)))
def test_neither_blocks_nor_the_order_of_rows_matter(cuts, order):
    rng = np.random.default_rng(3)
    X = np.cumsum(rng.normal(size=(30, 3)), axis=0) + 100
    y = X.sum(axis=1) + rng.normal(size=30)
    sizes = np.diff([0, *sorted(cuts), 30])
    a, b = fitted(X, y), fitted(X[order], y[order], sizes=sizes)
    assert b.coefficients == approx(a.coefficients, rel=LAST_BIT, abs=0)
    assert b.intercept == approx(a.intercept, rel=LAST_BIT, abs=0)


def test_what_cannot_be_refined_is_left_as_it_is():
    X = np.arange(12.0).reshape(6, 2) ** 2
    y = np.array([1.0, 3.0, 2.0, 5.0, 4.0, 9.0])
    for options in (
        Options(l2_reg=1.0),
        Options(l1_reg=0.1),
        Options(optimize_strategy="BATCH_GRADIENT_DESCENT"),
    ):
        fit = train(linear_regression(layout_of(X), moments(X, y), options), blocks(X, y))
        assert fit.passes == 1
    assert fitted(X, y).passes == 3


def test_a_step_that_overflows_is_not_taken():
    X = np.array([[1.0], [2.0], [4.0], [7.0]]) * 1e140
    y = np.array([1.0, 2.0, 3.0, 5.0]) * 1e-12
    b, _ = exact(X, y)
    fit = fitted(X, y)
    # errors of products below 1e-308 vanish, so that only the digits of the first solution are sure
    assert [*fit.coefficients[0], *fit.intercept] == approx(b, rel=1e-12, abs=0)


def test_held_out_rows_judge_the_refined_weights():
    X, y = arrays("Longley")
    first = linear_regression(layout_of(X), moments(X, y), Options())
    fit = train(first, blocks(X, y), held_out=blocks(X[:4], y[:4]))
    residuals = y[:4] - X[:4] @ fit.coefficients[0] - fit.intercept
    # the intercept is -3.5e6, the residuals 100: six digits cancel on either side
    assert fit.iterations[-1].eval_loss == approx(np.mean(residuals**2), rel=1e-9)


@given(st.floats(-1e100, 1e100), st.floats(-1e100, 1e100))
def test_errors_of_sums_and_products_are_exact(a, b):
    for of, expected in (
        (two_sum, Fraction(a) + Fraction(b)),
        (two_product, Fraction(a) * Fraction(b)),
    ):
        hi, lo = of(np.array([a]), np.array([b]))
        if of is two_sum or a == 0 or b == 0 or abs(a * b) > 1e-250:  # lo is no subnormal
            assert Fraction(float(hi[0])) + Fraction(float(lo[0])) == expected


@pytest.mark.parametrize("n", [0, 1, 2, 3, 1000, 1001])
def test_totals_have_twice_the_precision(n):
    values = np.random.default_rng(n).normal(size=n) * 10.0 ** np.arange(n % 13, n % 13 + n) ** 0.25
    values = np.r_[values, -values, 1e-20][:, None]
    hi, lo = total(values, np.zeros_like(values))
    # eps² = 5e-32 of the sum of absolute values (below 1e9 here), where a double keeps eps of it
    assert float(hi[0]) + float(lo[0]) == approx(1e-20, abs=1e-22)


def test_a_second_pass_is_not_refined():
    X, y = arrays("Norris")
    first = linear_regression(layout_of(X), moments(X, y))
    assert train(replace(first, passes=2), blocks(X, y)).passes == 2

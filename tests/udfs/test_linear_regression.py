import itertools
from dataclasses import replace

import numpy as np
import pytest
import statsmodels.api as sm
from fitting import blocks, layout_of, moments, one_hot, standardised, train
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.linear_model import ElasticNet, Lasso, Ridge

from mlpond.udfs.linear.fit import Moments, Options
from mlpond.udfs.linear.linear_regression import linear_regression
from mlpond.udfs.linear.losses import SQUARED
from mlpond.udfs.linear.quasi_newton import quasi_newton
from mlpond.udfs.linear.task import Task
from mlpond.udfs.trainer import fold

approx = pytest.approx

N = 600
SIZES = (5, 3)


@pytest.fixture(scope="module")
def data():
    rng = np.random.default_rng(7)
    X = rng.normal(size=(N, 4)) * [1, 100, 0.01, 3] + [0, 1e4, 1, -2]
    codes = (rng.choice(5, N, p=[0.5, 0.3, 0.1, 0.08, 0.02]), rng.integers(0, 3, N))
    Z = standardised(X, codes, SIZES)
    y = 100 + Z @ rng.normal(size=12) + rng.normal(size=N)
    return X, codes, Z, y


def fit(X, y, codes=(), sizes=(), options=None, weight=None, method=None, cut=None, **more):
    first = linear_regression(layout_of(X, sizes), moments(X, y), options)
    if method:
        first = replace(first, method=method)
    return train(first, blocks(X, y, codes, weight, cut), **more)


def squared(Z, got, y):
    r = Z @ got.standardised[0] + got.standardised_intercept[0] - y
    return float(r @ r)


def test_agrees_with_statsmodels(data):
    X, (a, b), _, y = data
    # dummy encoding: category 0 is dropped, its rows have code -1
    got = fit(X, y, (a - 1, b - 1), (4, 2), Options(calculate_p_values=True))
    M = np.hstack([X, one_hot(a - 1, 4), one_hot(b - 1, 2), np.ones((N, 1))])
    expected = sm.OLS(y, M).fit(method="qr")
    # statsmodels solves the raw columns, of condition 1e6: 1e6 · 2⁻⁵³ = 1e-10
    near = {"rel": 1e-9}
    inference = got.inference
    assert np.r_[got.coefficients[0], got.intercept] == approx(expected.params, **near)
    assert inference.raw.standard_error == approx(expected.bse, **near)
    assert inference.raw.statistic == approx(expected.tvalues, **near)
    # a tail probability magnifies the error of t = 40 by t² = 1600
    assert inference.raw.p_value == approx(expected.pvalues, rel=1e-6, abs=1e-300)
    interval = np.c_[inference.raw.ci_lower, inference.raw.ci_upper]
    assert interval == approx(expected.conf_int(), rel=1e-8)
    covariance = expected.cov_params()
    scale = np.sqrt(np.outer(np.diag(covariance), np.diag(covariance)))
    assert inference.raw.covariance / scale == approx(covariance / scale, abs=1e-8)
    assert inference.log_likelihood == approx(expected.llf, rel=1e-12)
    assert inference.aic == approx(expected.aic, rel=1e-12)
    assert inference.bic == approx(expected.bic, rel=1e-12)
    assert inference.r_squared == approx(expected.rsquared, rel=1e-12)
    assert inference.adjusted_r_squared == approx(expected.rsquared_adj, rel=1e-12)
    assert inference.f_statistic == approx(expected.fvalue, rel=1e-10)
    assert (inference.df, inference.f_df) == (expected.df_resid, expected.df_model)
    assert got.loss == approx(expected.ssr / N, rel=1e-12)


def test_standardised_tests_are_those_of_standardised_columns(data):
    X, _, _, y = data
    tests = fit(X, y, options=Options(calculate_p_values=True)).inference.standardised
    expected = sm.OLS(y, sm.add_constant(standardised(X), prepend=False)).fit()
    assert tests.standard_error == approx(expected.bse, rel=1e-11)  # condition 1
    assert tests.statistic == approx(expected.tvalues, rel=1e-11)


@pytest.mark.parametrize("method", ["qr", "gram"])
def test_agrees_with_ridge(data, method):
    X, codes, Z, y = data
    got = fit(X, y, codes, SIZES, Options(l2_reg=3.0), method=method)
    expected = Ridge(alpha=3.0, solver="cholesky").fit(Z, y)
    # condition of Z'Z + 3 about 200, on both sides
    assert got.standardised[0] == approx(expected.coef_, rel=1e-11, abs=1e-12)
    assert got.standardised_intercept[0] == approx(expected.intercept_, rel=1e-12)
    raw = X @ got.coefficients[0, :4] + got.intercept[0]
    raw += got.coefficients[0, 4:9][codes[0]] + got.coefficients[0, 9:][codes[1]]
    assert raw == approx(expected.predict(Z), rel=1e-11)


@pytest.mark.parametrize("l1, l2", [(20.0, 0.0), (150.0, 0.0), (20.0, 5.0)])
def test_agrees_with_lasso_and_elastic_net(data, l1, l2):
    X, codes, Z, y = data
    got = fit(X, y, codes, SIZES, Options(l1_reg=l1, l2_reg=l2))
    if l2:
        share = l1 / (l1 + l2)
        peer = ElasticNet((l1 + l2) / N, l1_ratio=share, tol=1e-14, max_iter=10**6).fit(Z, y)
    else:
        peer = Lasso(l1 / N, tol=1e-14, max_iter=10**6).fit(Z, y)
    # ours is solved to rounding; scikit-learn's duality gap of 1e-14 · |y|² (1e-7 here, |y|² = 6e6)
    # bounds its weights to sqrt(1e-7 / 500) at worst
    assert got.standardised[0] == approx(peer.coef_, abs=1e-5)
    assert (got.standardised[0] == 0).tolist() == (np.abs(peer.coef_) < 1e-12).tolist()
    penalised = squared(Z, got, y) / 2
    penalised += l1 * np.abs(got.standardised).sum() + l2 / 2 * (got.standardised**2).sum()
    assert got.objective == approx(penalised, rel=1e-11)


def test_ridge_standard_errors_are_those_of_the_shrunken_estimate(data):
    X, _, Z, y = data
    options = Options(l2_reg=50.0, calculate_p_values=True)
    got = fit(X, y, options=options)
    M = np.c_[Z[:, :4], np.ones(N)]
    A = np.linalg.inv(M.T @ M + np.diag([50.0] * 4 + [0.0]))
    rss = squared(Z[:, :4], got, y)
    covariance = A @ M.T @ M @ A * rss / (N - 5)
    assert got.inference.standardised.covariance == approx(covariance, rel=1e-9, abs=1e-14)


# --- laws -----------------------------------------------------------------------------------


@given(st.integers(0, 2**32), st.lists(st.integers(0, 30), min_size=1, max_size=8), st.data())
@settings(max_examples=30)
def test_order_and_blocks_do_not_matter(seed, sizes, draw):
    rng = np.random.default_rng(seed)
    n = sum(sizes) + 20
    X, code = rng.normal(size=(n, 3)) + 5, rng.integers(0, 3, n)
    y = X @ [1.0, -2.0, 0.5] + code + rng.normal(size=n)
    method = draw.draw(st.sampled_from(["qr", "gram"]))
    order = rng.permutation(n)
    one = fit(X, y, (code,), (3,), method=method)
    first = linear_regression(layout_of(X, (3,)), moments(X, y))
    rows = blocks(X[order], y[order], (code[order],), sizes=[*sizes, 20])
    other = train(replace(first, method=method), rows)
    # condition below 100 or so with 20 rows: QR 1e-14, Gram (trusted below 600) 1e-10
    tolerance = 1e-11 if method == "qr" else 1e-8
    assert other.coefficients == approx(one.coefficients, rel=tolerance, abs=tolerance)
    assert other.rows == one.rows == n


@pytest.mark.parametrize("method", ["qr", "gram"])
def test_merge_is_associative(data, method):
    X, codes, _, y = data
    pass_ = linear_regression(layout_of(X, SIZES), moments(X, y))
    pass_ = replace(pass_, method=method, passes=2)  # a second pass is not refined
    a, b, c = (pass_.step(pass_.start(), s) for s in blocks(X, y, codes, sizes=[100, 7, N - 107]))
    left = pass_.finish(pass_.merge(pass_.merge(a, b), c))
    right = pass_.finish(pass_.merge(a, pass_.merge(b, c)))
    empty = pass_.finish(pass_.merge(pass_.start(), pass_.merge(pass_.merge(a, b), c)))
    assert right.coefficients == approx(left.coefficients, rel=1e-10)  # as above, condition 10
    assert (empty.coefficients == left.coefficients).all()


@pytest.mark.parametrize("method", ["qr", "gram"])
def test_threads_change_nothing(data, method):
    X, codes, _, y = data
    pass_ = replace(linear_regression(layout_of(X, SIZES), moments(X, y)), method=method)
    rows = blocks(X, y, codes, sizes=[50] * 12)
    one, two = fold(pass_, rows, 1), fold(pass_, rows, 2)
    assert (one.matrix == two.matrix).all()


@pytest.mark.parametrize("method", ["qr", "gram"])
def test_weighted_inference_agrees_with_statsmodels(data, method):
    X, (a, b), Z, y = data
    weight = np.random.default_rng(1).gamma(2.0, size=N)
    options = Options(calculate_p_values=True)
    first = replace(linear_regression(layout_of(X, (4, 2)), moments(X, y), options), method=method)
    rows = blocks(X, y, (a - 1, b - 1), weight, [N // 3, N - N // 3])
    got = train(first, rows)
    M = np.hstack([Z[:, :4], one_hot(a - 1, 4), one_hot(b - 1, 2), np.ones((N, 1))])
    peer = sm.WLS(y, M, weights=weight).fit()
    tests, found = got.inference.standardised, got.inference
    assert np.r_[got.standardised[0], got.standardised_intercept] == approx(peer.params, rel=1e-9)
    assert tests.standard_error == approx(peer.bse, rel=1e-9)
    assert tests.p_value == approx(peer.pvalues, rel=1e-7, abs=1e-300)
    assert (found.log_likelihood, found.aic, found.bic, found.df) == approx(
        (peer.llf, peer.aic, peer.bic, peer.df_resid), rel=1e-11
    )
    assert (found.r_squared, found.adjusted_r_squared, found.f_statistic) == approx(
        (peer.rsquared, peer.rsquared_adj, peer.fvalue), rel=1e-9
    )
    # all weights times a number change no test; a row of weight 0 is no row
    again = train(first, blocks(X, y, (a - 1, b - 1), 7 * weight))
    assert again.inference.raw.standard_error == approx(got.inference.raw.standard_error, rel=1e-9)
    padded = blocks(
        np.r_[X, X[:5]], np.r_[y, y[:5] + 100], (np.r_[a, a[:5]] - 1, np.r_[b, b[:5]] - 1),
        np.r_[weight, np.zeros(5)],
    )  # fmt: skip
    padded = train(first, padded)
    assert padded.inference.raw.standard_error == approx(got.inference.raw.standard_error, rel=1e-9)
    assert padded.inference.log_likelihood == approx(found.log_likelihood, rel=1e-11)


def test_weights_are_repeated_rows(data):
    X, codes, _, y = data
    weight = np.random.default_rng(1).integers(0, 4, N).astype(float)
    repeat = np.repeat(np.arange(N), weight.astype(int))
    moment = moments(X, y)  # the scaling must be the same: the penalty depends on it
    options = Options(l2_reg=2.0)
    layout = layout_of(X, SIZES)
    weighted = train(linear_regression(layout, moment, options), blocks(X, y, codes, weight))
    rows = blocks(X[repeat], y[repeat], [c[repeat] for c in codes])
    repeated = train(linear_regression(layout, moment, options), rows)
    # the same sums in another order, condition 10
    assert weighted.coefficients == approx(repeated.coefficients, rel=1e-11)


def test_counted_categories_equal_written_ones():
    rng = np.random.default_rng(3)
    X, codes = rng.normal(size=(N, 2)), (rng.integers(-1, 40, N), rng.integers(-1, 30, N))
    y, weight = rng.normal(size=N), rng.random(N)
    layout = layout_of(X, (40, 30))
    pass_ = replace(linear_regression(layout, moments(X, y)), method="gram")
    (block,) = blocks(X, y, codes, weight)
    M = np.c_[np.ones(N), X - X.mean(axis=0), block.dense_matrix(layout)[:, 2:], y - y.mean()]
    # sums of 600 terms near 1
    assert fold(pass_, [block]).matrix == approx(M.T @ (M * weight[:, None]), abs=1e-11)


# --- one-hot columns ------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["qr", "gram"])
@pytest.mark.parametrize("fit_intercept", [True, False])
def test_one_hot_weights_are_the_limit_of_a_vanishing_penalty(data, method, fit_intercept):
    X, codes, _, y = data
    exact, tiny = (
        fit(X, y, codes, SIZES, Options(fit_intercept=fit_intercept, l2_reg=l2), method=method)
        for l2 in (0.0, 1e-9)
    )
    # the penalty moves a weight by its size, 44, times l2 / the least eigenvalue of the design:
    # 12 rows for the rarest category; 0.01 without intercept, where a column lies at 1e4 ± 100
    assert exact.standardised == approx(tiny.standardised, abs=1e-5)
    if fit_intercept:  # of all shifts the shortest is the one that sums to 0
        assert exact.standardised[0, 4:9].sum() == approx(0, abs=1e-10)
        assert exact.standardised[0, 9:].sum() == approx(0, abs=1e-10)
    assert exact.warnings == ()
    assert exact.condition_number < 1e3  # the dependence of one-hot columns is not counted


def test_one_hot_predicts_as_dummies_do(data):
    X, (a, b), Z, y = data
    full = fit(X, y, (a, b), SIZES)
    dummies = fit(X, y, (a - 1, b - 1), (4, 2))
    M = np.hstack([X, one_hot(a - 1, 4), one_hot(b - 1, 2)])
    predicted = Z @ full.standardised[0] + full.standardised_intercept[0]
    assert predicted == approx(M @ dummies.coefficients[0] + dummies.intercept[0], rel=1e-11)


def test_an_unseen_category_has_weight_zero(data):
    X, (a, b), _, y = data
    got = fit(X, y, (a, b), (7, 3))  # categories 5 and 6 have no row
    assert got.coefficients[0, 9:11].tolist() == [0, 0]
    assert got.warnings == ()
    assert np.delete(got.coefficients[0], [9, 10]) == approx(
        fit(X, y, (a, b), SIZES).coefficients[0], rel=1e-10
    )


# --- data that are not as they should be ----------------------------------------------------


@pytest.mark.parametrize("method", ["qr", "gram"])
def test_a_constant_column_gets_weight_zero_and_a_warning(data, method):
    X, _, _, y = data
    X = np.c_[X[:, :2], np.full(N, 0.1), X[:, 2:]]
    got = fit(X, y, options=Options(calculate_p_values=True), method=method)
    assert got.coefficients[0, 2] == 0
    assert [(w.kind, w.columns) for w in got.warnings] == [("constant", (2,))]
    assert "column 2 does not vary" in got.warnings[0].message
    assert np.isnan(got.inference.raw.standard_error).tolist() == [False] * 2 + [True] + [False] * 3
    assert np.delete(got.coefficients[0], 2) == approx(
        fit(np.delete(X, 2, axis=1), y).coefficients[0], rel=1e-10
    )


@pytest.mark.parametrize("method", ["qr", "gram"])
def test_dependent_columns_give_the_shortest_weights_and_a_loud_warning(data, method):
    X, _, Z, y = data
    X = np.c_[X, X[:, 0] + X[:, 3]]
    got = fit(X, y, method=method)
    (warning,) = got.warnings
    assert (warning.kind, warning.columns) == ("singular", (0, 3, 4))
    assert got.condition_number > 1e13
    expected = np.linalg.lstsq(standardised(X), y - y.mean(), rcond=1e-10)[0]
    assert got.standardised[0] == approx(expected, rel=1e-9, abs=1e-9)  # the cut is at 1e-13 here


@pytest.mark.parametrize("method", ["qr", "gram"])
def test_nearly_dependent_columns_are_solved_and_named(data, method):
    X, _, _, y = data
    gap = np.random.default_rng(5).normal(size=N)
    near = X[:, 0] + 1e-9 * gap
    got = fit(np.c_[X, near], y, method=method)
    (warning,) = got.warnings
    assert (warning.kind, warning.columns) == ("collinear", (0, 4))
    assert 1e8 < got.condition_number < 1e10
    # The same columns in other words are well conditioned; the gap lost all but seven digits.
    apart = fit(np.c_[X, gap], y)
    assert got.loss == approx(apart.loss, rel=1e-6)
    assert got.coefficients[0, [0, 4]].sum() == approx(apart.coefficients[0, 0], abs=1e-5)
    assert got.coefficients[0, 4] * 1e-9 == approx(apart.coefficients[0, 4], abs=1e-5)


def test_more_columns_than_rows(data):
    X, _, _, y = data
    got = fit(X[:4], y[:4], options=Options(calculate_p_values=True))
    assert got.loss == approx(0, abs=1e-20)  # 100² · 2⁻¹⁰⁶
    assert [w.kind for w in got.warnings] == ["singular"]
    assert np.isnan(got.inference.raw.standard_error).all()


def test_one_row(data):
    X, _, _, y = data
    got = fit(X[:1], y[:1])
    assert got.coefficients.tolist() == [[0, 0, 0, 0]]
    assert got.intercept[0] == y[0]


@pytest.mark.parametrize("bad", [np.nan, np.inf, 1e200])
@pytest.mark.parametrize("method", ["qr", "gram"])
def test_what_is_not_finite_is_refused(data, bad, method):
    X, _, _, y = data
    with pytest.raises(ValueError, match="not finite"), np.errstate(all="ignore"):
        fit(X, np.where(np.arange(N) == 3, bad, y) * (1e150 if bad == 1e200 else 1), method=method)


def test_no_rows_are_refused():
    none = Moments(np.zeros(2), np.zeros(2), 0)
    with pytest.raises(ValueError, match="no training rows"):
        train(linear_regression(layout_of(np.empty((0, 2))), none), [])


# --- gradient descent, L-BFGS, held-out rows ------------------------------------------------


def test_gradient_descent_comes_to_the_optimum(data):
    X, _, _, y = data
    descends = Options(
        optimize_strategy="BATCH_GRADIENT_DESCENT", min_rel_progress=1e-13, max_iterations=2000
    )
    got = fit(X, y, options=descends)
    assert got.converged
    assert got.loss == approx(
        fit(X, y).loss, rel=1e-9
    )  # 1e-13 a step, and steps that shrink by 0.8
    losses = [step.loss for step in got.iterations]
    assert all(later <= earlier for earlier, later in itertools.pairwise(losses))
    rates = [0.1, *(step.learning_rate for step in got.iterations)]
    ratios = {b / a for a, b in itertools.pairwise(rates)}
    assert ratios <= {2.0, 1.0, 0.5, 0.25}
    assert got.iterations[-1].loss == approx(got.loss, rel=1e-12)


def test_gradient_descent_stops_as_asked(data):
    X, _, _, y = data
    constant = Options(
        optimize_strategy="BATCH_GRADIENT_DESCENT", learn_rate_strategy="CONSTANT", learn_rate=0.05
    )
    got = fit(X, y, options=constant)
    assert {step.learning_rate for step in got.iterations} == {0.05}
    assert (len(got.iterations), got.converged) == (20, False)
    assert [w.kind for w in got.warnings] == ["not_converged"]
    with pytest.raises(ValueError, match="diverged at learning rate 1e"), np.errstate(all="ignore"):
        fit(X, y, options=replace(constant, learn_rate=1e200))
    # the first step by hand: from 0, along the mean gradient
    Z = standardised(X)
    assert got.iterations[0].loss == approx(
        np.mean((y - 0.05 * (Z @ (Z.T @ y) / N + y.mean())) ** 2), rel=1e-12
    )


@pytest.mark.parametrize("method", ["qr", "gram"])
@pytest.mark.parametrize("descends", [False, True])
def test_held_out_rows_are_judged(data, method, descends):
    X, codes, Z, y = data
    train_rows, held = slice(0, 400), slice(400, N)
    strategy = "BATCH_GRADIENT_DESCENT" if descends else "AUTO_STRATEGY"
    first = linear_regression(
        layout_of(X, SIZES), moments(X, y), Options(optimize_strategy=strategy)
    )
    got = train(
        replace(first, method=method),
        blocks(X[train_rows], y[train_rows], [c[train_rows] for c in codes]),
        held_out=blocks(X[held], y[held], [c[held] for c in codes]),
    )
    assert got.iterations[-1].eval_loss == approx(squared(Z[held], got, y[held]) / 200, rel=1e-9)
    assert got.iterations[-1].loss == approx(squared(Z[train_rows], got, y[train_rows]) / 400)


@pytest.mark.parametrize("l1, l2", [(0.0, 0.0), (0.0, 3.0), (20.0, 0.0)])
def test_wide_data_get_the_same_weights(data, l1, l2):
    X, codes, _, y = data
    options = Options(l1_reg=l1, l2_reg=l2)
    layout = layout_of(X, SIZES)
    task = Task(SQUARED, layout, moments(X, y), options, 1)
    wide = train(quasi_newton(task, task.start(None)), blocks(X, y, codes))
    exact = fit(X, y, codes, SIZES, options)
    # it stops when two steps in a row gain 1e-11 of the objective or less: a share of 1e-10 is
    # left, which is sqrt(2e-10 · F / 10) in the weight of a category with 10 rows
    assert wide.converged
    assert wide.objective == approx(exact.objective, rel=1e-9)
    assert wide.standardised == approx(exact.standardised, abs=2e-3)


def test_more_than_2000_columns_never_make_a_matrix():
    rng = np.random.default_rng(2)
    n, categories = 4000, 100_000
    X, code = rng.normal(size=(n, 1)), rng.integers(0, categories, n)
    y = 2 * X[:, 0] + (code % 2) + 0.1 * rng.normal(size=n)
    layout = layout_of(X, (categories,))
    got = train(
        linear_regression(layout, moments(X, y), Options(l2_reg=1.0)), blocks(X, y, (code,))
    )
    assert got.converged
    # the optimum by hand: a category's weight is the sum of its residuals / (rows + 1)
    residual = y - X[:, 0] * got.coefficients[0, 0] - got.intercept[0]
    rows = np.bincount(code, minlength=categories)
    expected = np.bincount(code, residual, categories) / (rows + 1)
    assert got.coefficients[0, 1:] == approx(expected, abs=1e-3)  # as above


def test_without_an_intercept_raw_columns_are_what_counts(data):
    X, _, _, y = data
    got = fit(X, y, options=Options(fit_intercept=False, calculate_p_values=True))
    expected = sm.OLS(y, X).fit(method="qr")
    assert got.coefficients[0] == approx(expected.params, rel=1e-8)  # raw columns: condition 1e6
    assert got.intercept.tolist() == [0.0]
    assert got.inference.raw.standard_error[:-1] == approx(expected.bse, rel=1e-8)
    assert got.inference.r_squared == approx(expected.rsquared, rel=1e-10)
    assert np.isnan(got.inference.raw.standard_error[-1])


@pytest.mark.parametrize(
    "options, message",
    [
        ({"l1_reg": -1.0}, "l1_reg is -1.0; pass a finite number, 0 or more"),
        ({"l2_reg": float("nan")}, "l2_reg is nan"),
        ({"learn_rate": 0.0}, "learn_rate is 0.0"),
        ({"optimize_strategy": "SGD"}, "'SGD'; pass one of AUTO_STRATEGY"),
        ({"max_iterations": 0}, "max_iterations is 0; pass 1 or more"),
        ({"calculate_p_values": True, "l1_reg": 1.0}, "set l1_reg to 0"),
    ],
)
def test_bad_options_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        Options(**options)


def test_moments_of_another_shape_are_refused(data):
    X, _, _, y = data
    with pytest.raises(ValueError, match="4 dense columns; pass one number per dense column"):
        linear_regression(layout_of(X), moments(X[:, :2], y))


def test_objective_is_what_is_minimised(data):
    X, codes, Z, y = data
    got = fit(X, y, codes, SIZES, Options(l2_reg=3.0))
    expected = squared(Z, got, y) / 2 + 1.5 * (got.standardised**2).sum()
    assert got.objective == approx(expected, rel=1e-11)

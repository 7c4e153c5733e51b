import itertools
from dataclasses import replace
from functools import partial

import numpy as np
import pytest
import statsmodels.api as sm
from fitting import blocks, layout_of, log_loss, moments, objective, one_hot, standardised, train
from sklearn.linear_model import LogisticRegression

from mlpond.udfs.linear import newton
from mlpond.udfs.linear.evaluate import multinomial_sums, score_sums
from mlpond.udfs.linear.fit import Options
from mlpond.udfs.linear.logistic_regression import logistic_regression
from mlpond.udfs.linear.losses import LOGISTIC, SOFTMAX, SQUARED
from mlpond.udfs.linear.newton import NewtonPass
from mlpond.udfs.linear.newton_step import newton_step
from mlpond.udfs.linear.quasi_newton import quasi_newton
from mlpond.udfs.linear.sample import SamplePass
from mlpond.udfs.linear.task import Task
from mlpond.udfs.trainer import fold

approx = pytest.approx

N = 1500
SIZES = (4, 3)


@pytest.fixture(scope="module")
def data():
    rng = np.random.default_rng(11)
    X = rng.normal(size=(N, 3)) * [1, 100, 0.01] + [0, 1e6, 1]
    codes = (rng.choice(4, N, p=[0.5, 0.3, 0.15, 0.05]), rng.integers(0, 3, N))
    Z = standardised(X, codes, SIZES)
    eta = Z @ rng.normal(size=10) * 0.7
    two = (rng.random(N) < 1 / (1 + np.exp(-eta))).astype(float)
    three = np.argmax(np.c_[eta, Z[:, 0] - eta / 2, 0 * eta] + rng.gumbel(size=(N, 3)), axis=1)
    return X, codes, Z, {2: two, 3: three.astype(float)}


def fit(X, y, codes=(), sizes=(), options=None, classes=2, weight=None, cut=None, **more):
    first = logistic_regression(layout_of(X, sizes), moments(X), options, classes)
    return train(first, blocks(X, y, codes, weight, cut), **more)


def quasi_newton_of(*task):
    task = Task(*task)
    return quasi_newton(task, task.start(None))


@pytest.mark.parametrize("classes", [2, 3])
@pytest.mark.parametrize("l2", [1.0, 0.01])
def test_agrees_with_scikit_learn_under_l2(data, classes, l2):
    X, codes, Z, y = data
    got = fit(X, y[classes], codes, SIZES, Options(l2_reg=l2), classes)
    peer = LogisticRegression(C=1 / l2, solver="newton-cg", tol=1e-10, max_iter=1000)
    peer.fit(Z, y[classes])
    assert got.converged
    # the peer stops at a gradient of 1e-10 per row, 1.5e-7 in all, where the least curvature is
    # that of the rarest category, 75 rows · 0.1, plus l2; along the intercept l2 alone holds it
    near = 1.5e-7 / l2 if l2 < 1 else 1e-6
    assert got.standardised == approx(peer.coef_, abs=near)
    theirs = log_loss(Z, peer.coef_, peer.intercept_, y[classes])
    theirs += l2 / 2 * (peer.coef_**2).sum()
    assert got.objective == approx(objective(Z, got, y[classes], l2=l2), rel=1e-13)
    assert got.objective <= theirs * (1 + 1e-14)
    assert got.objective == approx(theirs, rel=1e-10)
    raw = X @ got.coefficients[:, :3].T + got.intercept
    raw += got.coefficients[:, 3:7].T[codes[0]] + got.coefficients[:, 7:].T[codes[1]]
    # raw scores cancel 1e6 · weight / 100: four digits of sixteen
    assert raw == approx(Z @ got.standardised.T + got.standardised_intercept, abs=1e-10)


@pytest.mark.parametrize("classes", [2, 3])
@pytest.mark.parametrize("l1, l2", [(5.0, 0.0), (3.0, 2.0)])
def test_agrees_with_scikit_learn_under_l1(data, classes, l1, l2):
    X, codes, Z, y = data
    got = fit(X, y[classes], codes, SIZES, Options(l1_reg=l1, l2_reg=l2), classes)
    peer = LogisticRegression(
        C=1 / (l1 + l2),
        l1_ratio=l1 / (l1 + l2),
        solver="saga",
        tol=1e-9,
        max_iter=20000,
        random_state=0,
    ).fit(Z, y[classes])
    theirs = log_loss(Z, peer.coef_, peer.intercept_, y[classes])
    theirs += l1 * np.abs(peer.coef_).sum() + l2 / 2 * (peer.coef_**2).sum()
    assert got.converged
    assert got.objective <= theirs * (1 + 1e-14)
    assert got.objective == approx(theirs, rel=1e-9)  # the peer's tolerance
    assert got.standardised == approx(peer.coef_, abs=1e-5)
    assert ((got.standardised == 0) == (np.abs(peer.coef_) < 1e-7)).all()


def test_agrees_with_statsmodels(data):
    X, (a, b), Z, y = data
    options = Options(calculate_p_values=True)
    got = fit(X, y[2], (a - 1, b - 1), (3, 2), options)
    M = np.hstack([Z[:, :3], one_hot(a - 1, 3), one_hot(b - 1, 2), np.ones((N, 1))])
    expected = sm.Logit(y[2], M).fit(method="newton", tol=1e-14, maxiter=50, disp=0)
    tests = got.inference.standardised
    # both at a gradient of rounding size, condition 10
    assert np.r_[got.standardised[0], got.standardised_intercept] == approx(
        expected.params, rel=1e-10
    )
    assert tests.standard_error == approx(expected.bse, rel=1e-10)
    assert tests.statistic == approx(expected.tvalues, rel=1e-10)
    assert tests.p_value == approx(expected.pvalues, rel=1e-8)  # times z² / 2
    assert np.c_[tests.ci_lower, tests.ci_upper] == approx(expected.conf_int(), rel=1e-9)
    inference = got.inference
    assert (inference.log_likelihood, inference.aic, inference.bic) == approx(
        (expected.llf, expected.aic, expected.bic), rel=1e-12
    )
    # statsmodels finds the intercept of the null model by iteration, to 1e-8
    assert inference.r_squared == approx(expected.prsquared, rel=1e-7)


def test_raw_tests_are_those_of_raw_columns(data):
    X, _, _, y = data
    tests = fit(X, y[2], options=Options(calculate_p_values=True)).inference.raw
    moved = sm.add_constant(X - [0, 1e6, 1], prepend=False)
    expected = sm.Logit(y[2], moved).fit(method="newton", tol=1e-14, maxiter=50, disp=0)
    assert tests.standard_error[:-1] == approx(expected.bse[:-1], rel=1e-9)  # condition 1e4
    back = np.r_[0, -1e6, -1, 1]  # intercept at x = 0, of that at x = (0, 1e6, 1)
    assert tests.standard_error[-1] == approx(
        np.sqrt(back @ expected.cov_params() @ back), rel=1e-7
    )


def test_agrees_with_the_spector_data():
    # Spector & Mazzeo (1980) in statsmodels; the estimates printed in its documentation
    spector = sm.datasets.spector.load()
    X = spector.exog.to_numpy()
    got = fit(X, spector.endog.to_numpy(), options=Options(calculate_p_values=True))
    # ten digits are printed
    assert got.coefficients[0] == approx([2.8261125949, 0.0951576613, 2.3786876551], rel=1e-9)
    assert got.intercept[0] == approx(-13.0213468581, rel=1e-11)
    assert got.inference.log_likelihood == approx(-12.8896342221, rel=1e-11)


# --- derivatives ----------------------------------------------------------------------------


@pytest.mark.parametrize("classes", [2, 3])
def test_gradient_and_hessian_are_central_differences(data, classes):
    X, codes, _, y = data
    layout, shift = layout_of(X, SIZES), X.mean(axis=0)
    weight = np.random.default_rng(0).random(N)
    (block,) = blocks(X / [1, 100, 0.01], y[classes], codes, weight)
    shift = shift / [1, 100, 0.01]
    sums = partial(score_sums, loss=LOGISTIC) if classes == 2 else multinomial_sums
    theta = np.random.default_rng(1).normal(size=(1 if classes == 2 else 3, 11)) * 0.3
    _, gradient, hessian = sums(block, layout, shift, theta)
    h = np.finfo(float).eps ** (1 / 3)
    for i in range(theta.size):
        step = np.zeros(theta.size)
        step[i] = h
        up, down = (
            sums(block, layout, shift, theta + s * step.reshape(theta.shape)) for s in (1, -1)
        )
        # h² = 4e-11 times third derivatives of 1500 rows, and loss · 2⁻⁵³ / h = 2e-8
        assert (up[0] - down[0]) / (2 * h) == approx(gradient.ravel()[i], abs=1e-6)
        assert (up[1] - down[1]).ravel() / (2 * h) == approx(hessian[i], abs=1e-6)
    assert (hessian == hessian.T).all() or hessian == approx(hessian.T, abs=1e-10)


@pytest.mark.parametrize("loss, classes", [(SQUARED, 1), (LOGISTIC, 1), (SOFTMAX, 3)])
def test_the_gradient_without_a_matrix_is_the_same(data, loss, classes):
    X, codes, _, y = data
    label = y[3] if classes == 3 else y[2]
    layout = layout_of(X, SIZES)
    first = quasi_newton_of(loss, layout, moments(X), Options(), classes)
    theta = np.random.default_rng(1).normal(size=(classes, 11)) * 0.3
    rows = blocks(X, label, codes, sizes=[N // 2, N - N // 2])
    state = fold(replace(first, points=theta[None]), rows)
    got = first._gradient(state, 0)
    h = np.finfo(float).eps ** (1 / 3)
    for i in range(theta.size):
        step = np.zeros(theta.size)
        step[i] = h
        points = np.stack([theta + s * step.reshape(theta.shape) for s in (1, -1)])
        up, down = fold(replace(first, points=points, loss_only=True), rows).loss
        # h² · third derivatives (none of squared error, 1e3 of the others), and loss · 2⁻⁵³ / h
        assert (up - down) / (2 * h) == approx(got.ravel()[i], abs=1e-5)


# --- laws -----------------------------------------------------------------------------------


@pytest.mark.parametrize("classes", [2, 3])
def test_order_blocks_and_threads_do_not_matter(data, classes):
    X, codes, _, y = data
    options = Options(l2_reg=0.5)
    one = fit(X, y[classes], codes, SIZES, options, classes)
    order = np.random.default_rng(4).permutation(N)
    rows = (X[order], y[classes][order], [c[order] for c in codes])
    cut = [1, 499, 0, 600, 400]
    other = fit(*rows, SIZES, options, classes, cut=cut)
    # both stop where the gradient is rounding: 1500 · 2⁻⁵³ over a curvature of 0.5 or more
    assert other.standardised == approx(one.standardised, abs=1e-11)
    again = fit(*rows, SIZES, options, classes, cut=cut, threads=2)
    assert (again.standardised == other.standardised).all()
    assert again.iterations == other.iterations


def test_weights_are_repeated_rows(data):
    X, codes, _, y = data
    weight = np.random.default_rng(1).integers(0, 4, N).astype(float)
    repeat = np.repeat(np.arange(N), weight.astype(int))
    first = logistic_regression(layout_of(X, SIZES), moments(X), Options(l2_reg=1.0))
    weighted = train(first, blocks(X, y[2], codes, weight))
    repeated = train(first, blocks(X[repeat], y[2][repeat], [c[repeat] for c in codes]))
    assert weighted.standardised == approx(repeated.standardised, abs=1e-11)  # as above
    assert weighted.weight == repeated.rows


@pytest.mark.parametrize("classes", [2, 3])
def test_sparse_columns_equal_dense_ones(data, classes):
    X, (a, b), Z, y = data
    options = Options(l2_reg=1.0)
    codes = fit(X, y[classes], (a, b), SIZES, options, classes)
    sparse = (one_hot(a, 4), one_hot(b, 3))
    first = logistic_regression(layout_of(X, (), sparse), moments(X), options, classes)
    got = train(first, blocks(X, y[classes], sparse=sparse))
    assert got.standardised == approx(codes.standardised, abs=1e-11)  # as above


def test_counted_categories_equal_written_ones():
    rng = np.random.default_rng(3)
    n, sizes = 2000, (50, 40)
    X, codes = rng.normal(size=(n, 2)), (rng.integers(0, 50, n), rng.integers(0, 40, n))
    y = (rng.random(n) < 0.3 + 0.2 * (codes[0] % 2)).astype(float)
    options = Options(l2_reg=1.0)
    counted = fit(X, y, codes, sizes, options)
    sparse = tuple(one_hot(c, k) for c, k in zip(codes, sizes, strict=True))
    first = logistic_regression(layout_of(X, (), sparse), moments(X), options)
    written = train(first, blocks(X, y, sparse=sparse))
    assert counted.standardised == approx(written.standardised, abs=1e-11)  # as above


@pytest.mark.parametrize("classes", [2, 3])
def test_one_hot_weights_are_the_limit_of_a_vanishing_penalty(data, classes):
    X, codes, _, y = data
    exact, tiny = (
        fit(X, y[classes], codes, SIZES, Options(l2_reg=l2), classes) for l2 in (0.0, 1e-7)
    )
    # a weight of 2 is moved by 2 · 1e-7 / (75 rows · 0.1), the intercept by no more
    assert exact.standardised == approx(tiny.standardised, abs=1e-6)
    assert exact.standardised[:, 3:7].sum(axis=1) == approx(0, abs=1e-12)
    assert exact.converged
    if classes == 3:
        assert exact.standardised.sum(axis=0) == approx(0, abs=1e-12)
        assert exact.standardised_intercept.sum() == approx(0, abs=1e-12)


@pytest.mark.parametrize("loss", [LOGISTIC, SOFTMAX])
@pytest.mark.parametrize("l1, l2", [(0.0, 1.0), (3.0, 0.0), (0.0, 0.0)])
def test_l_bfgs_comes_to_the_same_optimum(data, loss, l1, l2):
    X, codes, _, y = data
    classes = 2 if loss is LOGISTIC else 3
    options = Options(l1_reg=l1, l2_reg=l2)
    first = quasi_newton_of(
        loss, layout_of(X, SIZES), moments(X), options, 1 if classes == 2 else 3
    )
    got = train(first, blocks(X, y[classes], codes, sizes=[700, 800]))
    exact = fit(X, y[classes], codes, SIZES, options, classes)
    assert got.converged
    # a share of 1e-10 of F = 1000 may be left: sqrt(2e-7 / (75 rows · 0.1)) in a weight
    assert got.objective == approx(exact.objective, rel=1e-9)
    if loss is LOGISTIC or l1 == 0:  # |a + t| + |b + t| is flat: softmax has many optima there
        assert got.standardised == approx(exact.standardised, abs=2e-3)


def test_two_softmax_classes_are_a_logistic_regression(data):
    X, codes, _, y = data
    layout, options = layout_of(X, SIZES), Options(l2_reg=1.0)
    task = Task(SOFTMAX, layout, moments(X), options, 2)
    pair = train(NewtonPass(task, task.start(None)), blocks(X, y[2], codes))
    # w1 - w0 = w with half the penalty: |w1|² + |w0|² = |w|² / 2
    one = fit(X, y[2], codes, SIZES, Options(l2_reg=0.5))
    assert pair.standardised[1] - pair.standardised[0] == approx(one.standardised[0], abs=1e-11)
    assert pair.objective == approx(one.objective, rel=1e-13)


# --- data that are not as they should be ----------------------------------------------------


def test_perfect_separation_is_said_and_stays_finite():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(400, 3))
    got = fit(X, (X[:, 1] > 0).astype(float))
    (warning,) = got.warnings
    assert (warning.kind, warning.columns) == ("separation", (1,))
    assert not got.converged
    assert np.isfinite(got.coefficients).all()
    assert got.loss < 1e-3
    penalised = fit(X, (X[:, 1] > 0).astype(float), options=Options(l2_reg=0.1))
    assert penalised.converged
    assert penalised.warnings == ()


@pytest.mark.parametrize("classes", [2, 3])
def test_a_category_of_one_class_is_named(data, classes):
    X, codes, _, y = data
    y = np.where(codes[0] == 3, 1.0, y[classes])
    got = fit(X, y, codes, SIZES, Options(), classes)
    (warning,) = got.warnings
    assert warning.kind == "separation"
    assert 6 in warning.columns  # 3 dense columns, then category 3
    assert "column 6" in warning.message
    # the others are where they would be without it: e⁻¹⁰ or less of its 75 rows is left to pull
    rest = codes[0] != 3
    layout, m = layout_of(X, (3, 3)), moments(X)
    others = train(
        logistic_regression(layout, m, None, classes),
        blocks(X[rest], y[rest], [c[rest] for c in codes]),
    )
    assert got.standardised[:, :3] == approx(others.standardised[:, :3], abs=1e-3)


@pytest.mark.parametrize("classes", [2, 3])
def test_wide_designs_name_their_separated_categories(data, classes):
    X, codes, _, y = data
    y = np.where(codes[0] == 3, 1.0, y[classes])
    options = Options()
    task = Task(
        LOGISTIC if classes == 2 else SOFTMAX, layout_of(X, SIZES), moments(X), options,
        1 if classes == 2 else 3,
    )  # fmt: skip
    got = train(quasi_newton(task, task.start(None)), blocks(X, y, codes))
    (warning,) = got.warnings
    assert (warning.kind, warning.columns) == ("separation", (6,))
    assert not got.converged
    penalised = replace(task, options=Options(l2_reg=1.0))
    assert train(quasi_newton(penalised, task.start(None)), blocks(X, y, codes)).warnings == ()


def test_two_columns_that_separate_together_are_named():
    rng = np.random.default_rng(2)
    X = rng.normal(size=(400, 3))
    X[:, 1] = X[:, 0] + 0.5 * X[:, 1]
    got = fit(X, (X[:, 0] > X[:, 1]).astype(float))
    (warning,) = got.warnings
    assert warning.kind == "separation"
    assert set(warning.columns) == {0, 1}


def test_separated_weights_have_no_tests(data):
    X, codes, _, y = data
    y = np.where(codes[0] == 3, 1.0, y[2])
    options = Options(calculate_p_values=True)
    got = fit(X, y, (codes[0] - 1, codes[1] - 1), (3, 2), options)
    assert [w.columns for w in got.warnings] == [(5,)]
    tests = got.inference.raw
    assert np.isnan(tests.p_value[5])
    assert np.isnan(tests.standard_error[5])
    rest = codes[0] != 3
    alone = fit(X[rest], y[rest], (codes[0][rest] - 1, codes[1][rest] - 1), (2, 2), options)
    others = [0, 1, 2, 3, 4, 6, 7]
    assert tests.standard_error[others] == approx(alone.inference.raw.standard_error[:7], rel=1e-3)


def test_constant_and_dependent_columns_are_said(data):
    X, _, Z, y = data
    wide = np.c_[Z[:, :3], np.full(N, 0.1), Z[:, 0] - 2 * Z[:, 2]]
    got = fit(wide, y[2])
    assert [(w.kind, w.columns) for w in got.warnings] == [
        ("constant", (3,)),
        ("singular", (0, 2, 4)),
    ]
    plain = fit(Z[:, :3], y[2])
    assert got.loss == approx(plain.loss, rel=1e-12)
    assert got.coefficients[0, 3] == 0


def test_one_class_only_gives_a_constant_answer(data):
    X, _, _, _ = data
    got = fit(X, np.ones(N))
    assert [w.kind for w in got.warnings] == ["separation"]
    assert got.coefficients == approx(0, abs=1e-6)
    assert np.isfinite(got.intercept).all()
    assert got.intercept[0] > 5


def test_logits_of_a_thousand_do_not_overflow():
    x = np.r_[np.linspace(-1, 1, 50), 1000.0, -1000.0]
    y = (np.r_[np.linspace(-1, 1, 50) + np.tile([0.5, -0.5], 25), 1, -1] > 0).astype(float)
    with np.errstate(over="raise", invalid="raise"):
        got = fit(x[:, None], y, options=Options(l2_reg=1e-3))
    assert got.converged


def test_what_is_not_finite_is_refused(data):
    X, _, _, y = data
    X = X.copy()
    first = logistic_regression(layout_of(X), moments(X))
    X[5, 0] = np.inf
    with pytest.raises(ValueError, match="not finite"), np.errstate(all="ignore"):
        start = replace(first, theta=first.theta + 1.0)
        train(start, blocks(X, y[2]))


def test_bad_requests_are_refused(data):
    X, _, _, _ = data
    layout, m = layout_of(X), moments(X)
    for options, classes, message in (
        (Options(), 1, "1 class; it needs two or more"),
        (Options(calculate_p_values=True), 3, "needs two classes, but the label has 3"),
        (Options(optimize_strategy="NORMAL_EQUATION"), 2, "is for linear_reg"),
    ):
        with pytest.raises(ValueError, match=message):
            logistic_regression(layout, m, options, classes)
    with pytest.raises(ValueError, match=r"this model needs \(1, 3\)"):
        logistic_regression(layout, m, None, 2, (np.zeros((1, 5)), np.zeros(1)))


# --- how it gets there ----------------------------------------------------------------------


def test_a_sample_saves_passes_and_changes_nothing(data):
    rng = np.random.default_rng(2)
    n = 40_000
    X, code = rng.normal(size=(n, 4)) + 3, rng.integers(0, 5, n)
    y = (rng.random(n) < 1 / (1 + np.exp(-X[:, 0] + 2 - code))).astype(float)
    layout, m, options = layout_of(X, (5,)), moments(X), Options(l2_reg=1.0)
    task = Task(LOGISTIC, layout, m, options, 1)
    rows = blocks(X, y, (code,), sizes=[8000] * 5)
    plain = NewtonPass(task, task.start(None))
    expected = train(plain, rows)
    begun = SamplePass(task, 0.2, task.start(None))
    state = fold(begun, rows[:1])
    assert begun.evaluation is None
    got = train(begun.finish(state), rows)
    # the gradient at the end is rounding, 4e4 · 2⁻⁵³, over curvatures of 1000
    assert got.standardised == approx(expected.standardised, abs=1e-10)
    assert len(got.iterations) < len(expected.iterations)
    assert got.passes == 1 + len(got.iterations)


def test_large_data_begin_with_a_sample(data):
    X, _, _, _ = data
    m = replace(moments(X), rows=5_000_000)
    first = logistic_regression(layout_of(X), m)
    assert isinstance(first, SamplePass)
    assert first.sample == approx(0.08)
    # a sample that misses a class is of no use
    alone = first.finish(fold(first, blocks(X, np.ones(N))))
    assert (alone.theta == 0).all()


@pytest.mark.parametrize("classes, l2", [(2, 0.0), (2, 50.0), (3, 0.0)])
def test_a_sample_knows_what_one_pass_leaves(classes, l2):
    rng = np.random.default_rng(7)
    n, m = 60_000, 12_000
    X, code = rng.normal(size=(n, 4)) * [1, 1, 50, 1] + 3, rng.integers(0, 3, n)
    eta = 0.8 * (X[:, 0] - 3) - 0.5 * (X[:, 1] - 3) + 0.4 * code
    y = np.argmax(np.c_[0 * eta, eta, eta / 3][:, :classes] + rng.gumbel(size=(n, classes)), axis=1)
    layout, options = layout_of(X, (3,)), Options(l2_reg=l2)
    task = Task(LOGISTIC if classes == 2 else SOFTMAX, layout, moments(X), options,
                1 if classes == 2 else 3)  # fmt: skip
    rows = blocks(X, y, (code,), sizes=[6000] * 10)
    first = SamplePass(task, m / n, task.start(None)).finish(tuple(rows[: m // 6000]))
    assert first.surrogate is not None
    state = fold(first, rows)
    step = newton_step(task, first.theta, state.gradient, state.hessian, ~state.incomplete)
    point, loss, estimate = first.surrogate.improve(first, state, step, ~state.incomplete)

    def gap(theta):
        sums = fold(NewtonPass(task, theta), rows)
        return newton_step(task, theta, sums.gradient, sums.hessian, ~sums.incomplete).gain

    at_start, after_newton, after = gap(first.theta), gap(first.theta + step.d), gap(point)
    # the sample misses the cubic part, 1e-4 of F or less, by a share of a hundredth or less
    assert loss == approx(fold(NewtonPass(task, point), rows).loss, rel=1e-6)
    assert after < after_newton / 20 < at_start / 20
    # a sum of squares of eight parts, and what is left is one draw of it
    assert estimate / 20 < after < estimate * 10


def test_one_pass_after_the_sample_is_enough(monkeypatch, data):
    rng = np.random.default_rng(3)
    n = 60_000
    X = rng.normal(size=(n, 3))
    y = (rng.random(n) < 1 / (1 + np.exp(-X[:, 0]))).astype(float)
    options = Options()
    task = Task(LOGISTIC, layout_of(X), moments(X), options, 1)
    rows = blocks(X, y, sizes=[10_000] * 6)
    exact = train(NewtonPass(task, task.start(None)), rows)
    first = SamplePass(task, 0.5, task.start(None)).finish(tuple(rows[:3]))
    monkeypatch.setattr(newton, "SPARED", 1e-8)
    monkeypatch.setattr(newton, "SPARED_NATS", 1e-3)
    got = train(first, rows)
    assert len(got.iterations) == 1
    # 1e-8 of F, which is 4e4 here, moves the weights by 0.03 standard errors of 0.01
    assert got.standardised == approx(exact.standardised, abs=3e-4)
    assert got.loss == approx(exact.loss, rel=1e-8)
    # with p-values the pass that they need takes one more step
    tested = Options(calculate_p_values=True)
    task = replace(task, options=tested)
    first = SamplePass(task, 0.5, task.start(None)).finish(tuple(rows[:3]))
    again = train(first, rows)
    assert again.standardised == approx(exact.standardised, abs=1e-12)


def test_separation_is_said_where_a_sample_was_fitted():
    rng = np.random.default_rng(4)
    n = 30_000
    X, code = rng.normal(size=(n, 2)), rng.integers(0, 4, n)
    y = np.where(code == 2, 1.0, rng.random(n) < 1 / (1 + np.exp(-X[:, 0])))
    task = Task(LOGISTIC, layout_of(X, (4,)), moments(X), Options(), 1)
    rows = blocks(X, y, (code,), sizes=[5000] * 6)
    got = train(SamplePass(task, 0.5, task.start(None)).finish(tuple(rows[:3])), rows)
    assert [(w.kind, w.columns) for w in got.warnings] == [("separation", (4,))]


@pytest.mark.parametrize("classes", [2, 3])
def test_a_warm_start_at_the_optimum_has_nothing_to_do(data, classes):
    X, codes, _, y = data
    options = Options(l2_reg=1.0)
    cold = fit(X, y[classes], codes, SIZES, options, classes)
    first = logistic_regression(
        layout_of(X, SIZES), moments(X), options, classes, (cold.coefficients, cold.intercept)
    )
    warm = train(first, blocks(X, y[classes], codes))
    assert len(warm.iterations) == 1
    assert warm.standardised == approx(cold.standardised, abs=1e-11)


@pytest.mark.parametrize("classes", [2, 3])
def test_held_out_rows_are_judged(data, classes):
    X, codes, Z, y = data
    layout, m = layout_of(X, SIZES), moments(X)
    kept, held = slice(0, 1000), slice(1000, N)

    def part(rows):
        return blocks(X[rows], y[classes][rows], [c[rows] for c in codes])

    for options in (Options(l2_reg=1.0), Options(optimize_strategy="BATCH_GRADIENT_DESCENT")):
        got = train(
            logistic_regression(layout, m, options, classes), part(kept), held_out=part(held)
        )
        w, c = got.standardised, got.standardised_intercept
        last = got.iterations[-1]
        # Newton's last step is taken after the last pass, and too short to be seen in the loss
        assert last.loss == approx(log_loss(Z[kept], w, c, y[classes][kept]) / 1000, rel=1e-9)
        assert last.eval_loss == approx(log_loss(Z[held], w, c, y[classes][held]) / 500, rel=1e-6)
        assert [step.iteration for step in got.iterations] == list(range(len(got.iterations)))


def test_gradient_descent_and_min_rel_progress(data):
    X, codes, Z, y = data
    descends = Options(optimize_strategy="BATCH_GRADIENT_DESCENT")
    got = fit(X, y[2], codes, SIZES, descends)
    losses = [step.loss for step in got.iterations]
    assert all(later < earlier for earlier, later in itertools.pairwise(losses))
    # it stopped where progress fell below the default of 0.01
    shares = [(a - b) / a for a, b in itertools.pairwise(losses)]
    assert shares[-1] < 0.01 <= min(shares[:-1])
    # the first step by hand, at the best of the four rates
    slope = Z.T @ (0.5 - y[2]) / N
    tried = [
        log_loss(Z, -rate * slope[None], -rate * np.mean(0.5 - y[2]), y[2]) / N
        for rate in (0.2, 0.1, 0.05, 0.025)
    ]
    assert got.iterations[0].loss == approx(min(tried), rel=1e-12)
    early = fit(X, y[2], codes, SIZES, Options(l2_reg=1.0, min_rel_progress=0.05))
    late = fit(X, y[2], codes, SIZES, Options(l2_reg=1.0))
    assert len(early.iterations) < len(late.iterations)
    short = fit(X, y[2], codes, SIZES, Options(l2_reg=1.0, max_iterations=1))
    assert [w.kind for w in short.warnings] == ["not_converged"]


def test_a_million_categories():
    rng = np.random.default_rng(5)
    n, size = 3000, 1_000_000
    code = rng.integers(0, size, n)
    y = (rng.random(n) < 0.4).astype(float)
    X = rng.normal(size=(n, 1))
    got = fit(X, y, (code,), (size,), Options(l2_reg=1.0))
    assert got.converged
    assert got.coefficients.shape == (1, size + 1)
    assert np.count_nonzero(got.coefficients) == np.unique(code).size + 1


@pytest.mark.parametrize("classes", [2, 3])
def test_a_bad_start_is_recovered_from(data, classes):
    """Far out p (1 - p) is next to 0 and Newton's full step overshoots."""
    X, codes, _, y = data
    options = Options(l2_reg=1.0, max_iterations=100)
    cold = fit(X, y[classes], codes, SIZES, options, classes)
    start = np.zeros_like(cold.coefficients)
    start[:, 0] = np.arange(1, len(start) + 1) * 8.0
    first = logistic_regression(
        layout_of(X, SIZES), moments(X), options, classes, (start, np.zeros(len(start)))
    )
    far = train(first, blocks(X, y[classes], codes))
    assert min(step.learning_rate or 1.0 for step in far.iterations) < 1.0  # it was damped
    losses = [step.loss for step in far.iterations]
    assert losses[-1] < losses[0]
    assert far.converged
    assert far.standardised == approx(cold.standardised, abs=1e-11)

"""Linear support vector machines against scikit-learn, on objectives written out the naive way."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pytest import approx
from sklearn.svm import SVC, SVR, LinearSVC, LinearSVR

from mlpond.udfs.linear.fit import Scaling
from mlpond.udfs.svm import linear
from mlpond.udfs.svm.fit import Options
from mlpond.udfs.svm.linear import linear_svm
from mlpond.udfs.svm.losses import Margin
from mlpond.udfs.svm.one_vs_rest import OneVsRest
from tests.udfs.fitting import blocks, layout_of, moments, one_hot, standardised, train


def table(n=300, p=5, seed=0, regression=False):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, p)) * 3 + 5
    y = X @ rng.normal(size=p) + 3 * rng.normal(size=n)
    return X, y if regression else (y > y.mean()).astype(float)


def fit(
    X, y, codes=(), cardinalities=(), weight=None, sizes=None, threads=1, held_out=None, **options
):
    given = moments(X, y if options.get("is_regression") else None)
    first = linear_svm(layout_of(X, cardinalities), given, Options(**options))
    return train(first, blocks(X, y, codes, weight, sizes), threads, held_out)


def naive(Z, w, intercept, y, loss, l2, epsilon=None, weight=None):
    z = Z @ w + intercept
    u = np.maximum(1 - (2 * y - 1) * z if epsilon is None else np.abs(z - y) - epsilon, 0)
    weight = np.ones(y.size) if weight is None else weight
    return float(weight @ (u if loss == "HINGE" else u * u)) + l2 / 2 * float(w @ w)


@pytest.mark.parametrize("l2", [0.01, 1.0, 100.0])
@pytest.mark.parametrize("loss", ["HINGE", "SQUARED_HINGE"])
def test_classifiers_reach_scikit_learns_optimum(loss, l2):
    X, y = table()
    Z = standardised(X)
    found = fit(X, y, loss=loss, l2_reg=l2, sizes=[100, 200])
    if loss == "HINGE":  # the only one of theirs whose intercept bears no penalty
        theirs = SVC(C=1 / l2, kernel="linear", tol=1e-6).fit(Z, y)
    else:  # the penalty of the intercept is divided by the square of intercept_scaling
        theirs = LinearSVC(C=1 / l2, dual=False, intercept_scaling=1e3, tol=1e-10).fit(Z, y)
    best = naive(Z, theirs.coef_[0], theirs.intercept_[0], y, loss, l2)
    ours = naive(Z, found.standardised[0], found.standardised_intercept[0], y, loss, l2)
    assert found.converged
    assert ours <= best * (1 + 1e-6)
    assert ours == approx(best, rel=3e-6)  # theirs may stop a little above the optimum
    assert found.objective == approx(ours, rel=1e-10)
    assert X @ found.coefficients[0] + found.intercept == approx(
        Z @ found.standardised[0] + found.standardised_intercept[0], rel=1e-9, abs=1e-9
    )


@pytest.mark.parametrize("loss", ["HINGE", "SQUARED_HINGE"])
def test_regressions_reach_scikit_learns_optimum(loss):
    X, y = table(regression=True)
    Z = standardised(X)
    found = fit(X, y, is_regression=True, loss=loss, epsilon=0.5)
    if loss == "HINGE":
        theirs = SVR(kernel="linear", epsilon=0.5, tol=1e-6).fit(Z, y)
        w, intercept = theirs.coef_[0], theirs.intercept_[0]
    else:
        theirs = LinearSVR(
            loss="squared_epsilon_insensitive", dual=False, epsilon=0.5, intercept_scaling=1e3, tol=1e-10,
        ).fit(Z, y)  # fmt: skip
        w, intercept = theirs.coef_, theirs.intercept_[0]
    best = naive(Z, w, intercept, y, loss, 1.0, 0.5)
    ours = naive(Z, found.standardised[0], found.standardised_intercept[0], y, loss, 1.0, 0.5)
    assert ours <= best * (1 + 1e-6)
    assert found.loss == approx((ours - 0.5 * found.standardised[0] @ found.standardised[0]) / 300)


def test_weights_count_rows():
    X, y = table()
    times = np.arange(300) % 3  # a row of weight 0 has no say
    whole = np.repeat(np.arange(300), times)
    for loss in ("HINGE", "SQUARED_HINGE"):
        first = linear_svm(layout_of(X), moments(X), Options(loss=loss))
        weighted = train(first, blocks(X, y, weight=times.astype(float)))
        repeated = train(first, blocks(X[whole], y[whole]))
        # the sums are the same but for rounding, and the hinge ends 1e-7 above its optimum
        assert weighted.objective == approx(repeated.objective, rel=2e-7)


def test_categories_and_counts_agree():
    X, y = table()
    rng = np.random.default_rng(3)
    codes = rng.integers(-1, 30, 300)
    y = np.where(codes % 3 == 0, 1 - y, y)
    for loss in ("HINGE", "SQUARED_HINGE"):
        found = fit(X, y, (codes,), (30,), loss=loss)  # 30 columns are counted, not written out
        Z = np.hstack([standardised(X), one_hot(codes, 30)])
        written = train(
            linear_svm(
                layout_of(np.hstack([X, one_hot(codes, 30)])),
                _plain(moments(X), 30),
                Options(loss=loss),
            ),
            blocks(np.hstack([X, one_hot(codes, 30)]), y),
        )
        assert found.objective == approx(written.objective, rel=2e-7)
        ours = naive(Z, found.standardised[0], found.standardised_intercept[0], y, loss, 1.0)
        assert found.objective == approx(ours, rel=1e-9)


def _plain(known, more):
    """Moments with columns that are neither centred nor scaled."""
    return type(known)(
        np.r_[known.mean, np.zeros(more)], np.r_[known.sd, np.ones(more)], known.rows
    )


def test_large_data_begin_at_the_optimum_of_a_sample(monkeypatch):
    X, y = table(n=4000)
    plain = {loss: fit(X, y, loss=loss) for loss in ("HINGE", "SQUARED_HINGE")}
    monkeypatch.setattr(linear, "SAMPLE_FROM", 1000)
    for loss, expected in plain.items():
        found = fit(X, y, loss=loss)
        assert found.objective == approx(expected.objective, rel=2e-7)
        assert found.passes < expected.passes + 1


def test_one_vs_rest_is_every_class_for_itself():
    X, _ = table()
    y = np.digitize(X[:, 0] + X[:, 1], [8.0, 12.0]).astype(float)
    problem = linear_svm(layout_of(X), moments(X), Options())
    found = train(OneVsRest((problem,) * 3), blocks(X, y, sizes=[100, 200]), held_out=blocks(X, y))
    for k in range(3):
        alone = train(problem, blocks(X, (y == k).astype(float), sizes=[100, 200]))
        assert found.standardised[k].tolist() == alone.standardised[0].tolist()
        assert found.intercept[k] == alone.intercept[0]
    assert found.iterations[-1].eval_loss == approx(found.loss, rel=1e-12)


def test_threads_change_no_bit():
    X, y = table()
    one, two = (fit(X, y, sizes=[50] * 6, threads=n) for n in (1, 2))
    assert one.coefficients.tolist() == two.coefficients.tolist()


@settings(deadline=None, max_examples=20)
@given(
    u=st.floats(-50, 50), y=st.sampled_from([0.0, 1.0]), width=st.floats(1e-3, 2),
    epsilon=st.sampled_from([None, 0.0, 0.7]),
)  # fmt: skip
def test_law_derivatives_are_differences(u, y, width, epsilon):
    margin = Margin(False, epsilon)
    z, y = np.array([u]), np.array([y])
    h = width * np.finfo(float).eps ** (1 / 3)

    def loss(dz=0.0, dw=0.0):
        return margin.loss(z + dz, y, width + dw)[0]

    def slope(dz=0.0, dw=0.0):
        return margin.derivatives(z + dz, y, width + dw).slope[0]

    at = margin.derivatives(z, y, width)
    # losses of up to 50 round by 1e-14, which 2 h divides
    assert at.slope[0] == approx((loss(h) - loss(-h)) / (2 * h), rel=1e-6, abs=1e-14 / h)
    assert at.curvature[0] == approx((slope(h) - slope(-h)) / (2 * h), rel=1e-4, abs=1e-14 / h)
    assert at.path[0] == approx((slope(0, h) - slope(0, -h)) / (2 * h), rel=1e-4, abs=1e-14 / h)
    # the smooth loss is above the hinge, by a width at most for each of its corners
    above = loss() - margin.loss(z, y)[0]
    assert -1e-12 <= above <= (1 if epsilon is None else 2) * width + 1e-12
    assert at.gap[0] >= -1e-12


def test_edges():
    X, y = table()
    X[:, 1] = 7.0
    found = fit(X, y)
    assert found.standardised[0, 1] == 0.0
    assert [w.kind for w in found.warnings] == ["constant"]
    separable = np.linspace(-1, 1, 40)[:, None]
    found = fit(separable, (separable[:, 0] > 0).astype(float), l2_reg=1e-6)
    # two rows on the margin, 2/39 apart in x
    assert found.coefficients[0, 0] == approx(39.0, rel=1e-3)
    with pytest.raises(ValueError, match="no training rows"):
        fit(X[:0], y[:0])
    with pytest.raises(ValueError, match="not finite"):
        train(
            linear_svm(layout_of(X), moments(X), Options()), blocks(np.where(X == 7, np.nan, X), y)
        )
    for bad in ({"l2_reg": 0.0}, {"loss": "LOG"}, {"epsilon": -1.0}):
        with pytest.raises(ValueError, match="svm: "):
            Options(**bad)
    assert Scaling  # the layout of the weights is that of the linear models

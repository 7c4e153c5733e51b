import numpy as np
import pytest
from fitting import blocks, layout_of, log_loss, moments, one_hot, train
from sklearn.linear_model import LogisticRegression, enet_path, lasso_path

from mlpond.udfs.linear.fit import Options
from mlpond.udfs.linear.generalized import generalized_linear_model
from mlpond.udfs.linear.linear_regression import linear_regression
from mlpond.udfs.linear.logistic_regression import logistic_regression

approx = pytest.approx

N = 400


@pytest.fixture(scope="module")
def data():
    rng = np.random.default_rng(5)
    X = rng.normal(size=(N, 8)) @ (np.eye(8) + 0.4) + 3
    Z = (X - X.mean(axis=0)) / X.std(axis=0, ddof=1)
    eta = Z[:, :4] @ [1.5, -1.0, 0.5, 0.0]
    y = eta + rng.normal(size=N)
    three = np.argmax(np.c_[eta, Z[:, 4], 0 * eta] + rng.gumbel(size=(N, 3)), axis=1)
    return X, Z, y, {2: (rng.random(N) < 1 / (1 + np.exp(-eta))).astype(float), 3: three / 1.0}


@pytest.mark.parametrize("l1_ratio", [1.0, 0.4])
def test_agrees_with_scikit_learn(data, l1_ratio):
    X, Z, y, _ = data
    options = Options(regularization_path=30, l1_ratio=l1_ratio)
    got = train(linear_regression(layout_of(X), moments(X, y), options), blocks(X, y))
    # our penalties are sums over rows, theirs means; ours begin where no weight is left
    alphas = np.array([(step.l1_reg + step.l2_reg) / N for step in got.path])
    assert alphas[0] * l1_ratio == approx(np.abs(Z.T @ (y - y.mean())).max() / N, rel=1e-12)
    assert alphas[1:] / alphas[:-1] == approx(1e-4 ** (1 / 29), rel=1e-12)
    if l1_ratio == 1.0:
        _, weights, _ = lasso_path(Z, y - y.mean(), alphas=alphas, tol=1e-13, max_iter=100_000)
    else:
        _, weights, _ = enet_path(
            Z, y - y.mean(), alphas=alphas, l1_ratio=l1_ratio, tol=1e-13, max_iter=100_000
        )
    scale = X.std(axis=0, ddof=1)
    ours = np.array([step.coefficients[0] * scale for step in got.path]).T
    # their duality gap of 1e-13 of |y|²: weights to its root
    assert ours == approx(weights, abs=1e-6)
    assert [step.df for step in got.path] == np.count_nonzero(ours, axis=0).tolist()
    assert got.path[0].df == 0
    residual = y[:, None] - y.mean() - Z @ ours
    assert [step.loss for step in got.path] == approx((residual**2).mean(axis=0), rel=1e-10)


def test_without_held_out_rows_the_model_has_the_least_bic(data):
    X, _, y, _ = data
    options = Options(regularization_path=40)
    got = train(linear_regression(layout_of(X), moments(X, y), options), blocks(X, y))
    bic = [N * np.log(step.loss) + step.df * np.log(N) for step in got.path]
    best = int(np.argmin(bic))
    assert [step.is_chosen for step in got.path] == [k == best for k in range(40)]
    assert 0 < best < 39
    assert got.path[best].coefficients == approx(got.coefficients, abs=1e-12)
    alone = train(
        linear_regression(layout_of(X), moments(X, y), Options(l1_reg=got.path[best].l1_reg)),
        blocks(X, y),
    )
    assert got.coefficients == approx(alone.coefficients, abs=1e-12)
    assert got.objective == approx(alone.objective, rel=1e-13)


@pytest.mark.parametrize("kind", ["linear", "logistic"])
def test_held_out_rows_choose_the_model(data, kind):
    X, _, y, classes = data
    y = y if kind == "linear" else classes[2]
    kept, held = slice(0, 150), slice(150, N)
    options = Options(regularization_path=20, l1_ratio=0.5)
    first = linear_regression if kind == "linear" else logistic_regression
    got = train(
        first(layout_of(X), moments(X[kept], y[kept]), options),
        blocks(X[kept], y[kept]),
        held_out=blocks(X[held], y[held]),
    )
    losses = []
    for step in got.path:
        z = X[held] @ step.coefficients[0] + step.intercept[0]
        loss = (y[held] - z) ** 2 if kind == "linear" else np.logaddexp(0, z) - y[held] * z
        losses.append(loss.mean())
    # Newton's last step is taken after the last look at the held-out rows
    assert [step.eval_loss for step in got.path] == approx(losses, rel=1e-6)
    assert got.path[int(np.argmin(losses))].is_chosen


@pytest.mark.parametrize("classes, l1_ratio", [(2, 1.0), (2, 0.3), (3, 1.0)])
def test_logistic_paths_agree_with_scikit_learn(data, classes, l1_ratio):
    X, Z, _, y = data
    options = Options(regularization_path=8, l1_ratio=l1_ratio)
    got = train(
        logistic_regression(layout_of(X), moments(X), options, classes), blocks(X, y[classes])
    )
    assert got.path[0].df == 0
    assert got.path[1].df > 0
    scale, mean = X.std(axis=0, ddof=1), X.mean(axis=0)

    def objective(w, c, l1, l2):
        penalty = l1 * np.abs(w).sum() + l2 / 2 * (w**2).sum()
        return log_loss(Z, w, c, y[classes]) + penalty

    for step in got.path[::3]:
        total = step.l1_reg + step.l2_reg
        peer = LogisticRegression(
            C=1 / total,
            l1_ratio=l1_ratio,
            solver="saga",
            tol=1e-9,
            max_iter=20_000,
            random_state=0,  # saga draws the order of the rows
        ).fit(Z, y[classes])
        ours = objective(
            step.coefficients * scale, step.intercept + step.coefficients @ mean,
            step.l1_reg, step.l2_reg,
        )  # fmt: skip
        theirs = objective(peer.coef_, peer.intercept_, step.l1_reg, step.l2_reg)
        assert ours <= theirs * (1 + 1e-12)
        assert ours == approx(theirs, rel=1e-6)


def test_categories_and_families_have_paths(data):
    X, Z, _, _ = data
    rng = np.random.default_rng(1)
    code = rng.integers(0, 4, N)
    y = rng.poisson(np.exp(0.5 * Z[:, 0] + 0.4 * (code == 2))).astype(float)
    options = Options(regularization_path=6)
    first = generalized_linear_model(layout_of(X, (4,)), moments(X, y), options, "poisson")
    got = train(first, blocks(X, y, (code,)))
    D = np.c_[Z, one_hot(code, 4)]
    for step in got.path:
        w = step.coefficients[0].copy()
        c = step.intercept[0] + w[:8] @ X.mean(axis=0)
        w[:8] *= X.std(axis=0, ddof=1)
        gradient = D.T @ (np.exp(D @ w + c) - y)
        # the conditions of the optimum, to the root of what a gain of 1e-14 leaves
        assert np.where(w != 0, gradient + step.l1_reg * np.sign(w), 0) == approx(0, abs=1e-4)
        assert (np.abs(gradient) <= step.l1_reg + 1e-4).all()
    assert got.deviances.deviance < got.deviances.null_deviance


def test_a_path_ends_where_all_is_explained():
    x = np.linspace(-1, 1, 50)
    X = np.c_[x, x**2]
    got = train(
        linear_regression(layout_of(X), moments(X, 3 * x), Options(regularization_path=100)),
        blocks(X, 3 * x),
    )
    assert 2 < len(got.path) < 100
    assert got.coefficients[0] == approx([3, 0], abs=0.1)


def test_bad_requests_are_refused():
    for more, message in (
        ({"regularization_path": 1}, "pass the number of penalties to try, 2 or more"),
        ({"regularization_path": 10, "l1_reg": 1.0}, "chooses the penalty itself"),
        ({"regularization_path": 10, "calculate_p_values": True}, "chooses the penalty itself"),
        ({"l1_ratio": 1.5}, "l1_ratio is 1.5; pass a share"),
    ):
        with pytest.raises(ValueError, match=message):
            Options(**more)

import numpy as np
import pytest
from fitting import blocks, drive
from hypothesis import given, settings
from hypothesis import strategies as st
from pytest import approx
from scipy.special import logsumexp
from scipy.stats import multivariate_normal
from sklearn.datasets import load_iris, load_wine
from sklearn.mixture import GaussianMixture
from threadpoolctl import threadpool_limits

from mlpond.udfs.clustering import mixture as passes
from mlpond.udfs.clustering.mixture import gaussian_mixture
from mlpond.udfs.clustering.mixture_fit import COVARIANCES, Fit, Options
from mlpond.udfs.design import Layout


@pytest.fixture(scope="module", autouse=True)
def one_thread():
    with threadpool_limits(1):
        yield


def mix(X, k, kind="FULL", *, threads=1, sizes=None, codes=(), cards=(), **options):
    sd = X.std(axis=0, ddof=1)
    layout = Layout(X.shape[1], tuple(cards))
    first = gaussian_mixture(layout, X.mean(axis=0), sd, len(X), Options(k, kind, **options))
    fit = drive(first, blocks(X, np.zeros(len(X)), codes, sizes=sizes), threads)
    assert isinstance(fit, Fit)
    return fit


def log_likelihood(X, fit):
    """From the definition, with SciPy's normal density."""
    parts = []
    for w, mean, spread in zip(fit.weights, fit.means, fit.covariances, strict=True):
        covariance = spread if spread.ndim == 2 else np.diag(spread)
        parts.append(np.log(w) + multivariate_normal(mean, covariance).logpdf(X))
    return logsumexp(parts, axis=0).sum()


def settled(X, kind, fit):
    """Scikit-learn's mixture, begun at ours and run to its end."""
    covariances = fit.covariances
    precision = {
        "FULL": lambda: np.linalg.inv(covariances),
        "TIED": lambda: np.linalg.inv(covariances[0]),
        "DIAG": lambda: 1 / covariances,
        "SPHERICAL": lambda: 1 / covariances[:, 0],
    }[kind]()
    return GaussianMixture(
        len(fit.weights), covariance_type=kind.lower(), weights_init=fit.weights,
        means_init=fit.means, precisions_init=precision, tol=1e-12, max_iter=500,
    ).fit(X)  # fmt: skip


@pytest.mark.parametrize("kind", COVARIANCES)
def test_it_is_an_optimum_of_scikit_learn_with_its_criteria(kind):
    X = load_iris(return_X_y=True)[0]
    fit = mix(X, 3, kind, standardize_features=False)
    assert fit.converged
    assert fit.log_likelihood == approx(log_likelihood(X, fit), rel=1e-11)
    other = settled(X, kind, fit)
    # EM ends where a step gains 1e-9 a row; being linear, it may leave a hundred times that
    assert fit.log_likelihood == approx(other.score(X) * 150, abs=1e-4)
    gap = 2 * (fit.log_likelihood - other.score(X) * 150)
    assert fit.bic + gap == approx(other.bic(X), rel=1e-10)
    assert fit.aic + gap == approx(other.aic(X), rel=1e-10)


@pytest.mark.parametrize("kind", COVARIANCES)
@pytest.mark.parametrize("load", [load_iris, load_wine])
def test_likelihood_is_at_least_that_of_as_many_starts_of_scikit_learn(kind, load):
    X = load(return_X_y=True)[0]
    fit = mix(X, 3, kind, standardize_features=False)
    other = GaussianMixture(3, covariance_type=kind.lower(), random_state=0, tol=1e-6, max_iter=300)
    assert fit.log_likelihood >= other.fit(X).score(X) * len(X) - 1e-3


@given(seed=st.integers(0, 1000), kind=st.sampled_from(COVARIANCES), k=st.integers(1, 2))
@settings(deadline=None, max_examples=10)
def test_no_step_lowers_the_likelihood_and_shares_sum_to_one(seed, kind, k):
    X = np.random.default_rng(seed).normal(size=(200, 2))
    fit = mix(X, k, kind, seed=seed, reg_covar=0.0)
    assert all(b >= a - 1e-10 for a, b in zip(fit.log, fit.log[1:], strict=False))
    assert fit.weights.sum() == approx(1.0, rel=1e-14)
    assert fit.log_likelihood == approx(log_likelihood(X, fit), rel=1e-10)


def test_units_only_shift_the_likelihood():
    X = load_iris(return_X_y=True)[0]
    factor = np.array([1024.0, 0.125, 8.0, 1.0])  # powers of two: the same digits throughout
    one, other = mix(X, 3), mix(X * factor, 3)
    expected = one.log_likelihood - 150 * np.log(factor).sum()
    assert other.log_likelihood == approx(expected, rel=1e-12)
    assert other.weights == approx(one.weights, rel=1e-12)


def test_one_component_is_the_mean_and_covariance():
    X = load_iris(return_X_y=True)[0]
    fit = mix(X, 1, reg_covar=0.0)
    assert fit.means[0] == approx(X.mean(axis=0), rel=1e-13)
    assert fit.covariances[0] == approx(np.cov(X.T, ddof=0), rel=1e-12)
    assert fit.parameters == 4 + 10


def test_passes_over_all_rows_and_threads(monkeypatch):
    monkeypatch.setattr(passes, "SAMPLE_ROWS", 100)
    monkeypatch.setattr(passes, "SAMPLE_ROWS_PER_COMPONENT", 50)
    rng = np.random.default_rng(3)
    X = np.r_[rng.normal(size=(900, 2)), rng.normal(size=(600, 2)) * 0.5 + [4, 1]]
    X = rng.permutation(X)
    fits = [mix(X, 2, threads=threads, sizes=[500] * 3) for threads in (1, 3)]
    assert np.array_equal(fits[0].means, fits[1].means)
    assert fits[0].passes > 2
    assert fits[0].weights == approx([0.6, 0.4], abs=0.02)
    assert fits[0].log_likelihood == approx(settled(X, "FULL", fits[0]).score(X) * 1500, abs=1e-3)


def test_collapse_is_said():
    X = np.c_[np.arange(20.0), np.arange(20.0)]
    with pytest.raises(ValueError, match="no spread in some direction.*raise reg_covar"):
        mix(X, 2, reg_covar=0.0)
    assert np.isfinite(mix(X, 2).log_likelihood)


def test_one_hot_columns_take_part():
    rng = np.random.default_rng(4)
    X, codes = rng.normal(size=(100, 1)), rng.integers(0, 2, size=100)
    X[codes == 1] += 5
    fit = mix(X, 2, "DIAG", codes=(codes,), cards=(2,))
    assert fit.means.shape == (2, 3)
    assert fit.means[:, 1:] == approx(np.eye(2)[fit.means[:, 0].argsort().argsort()], abs=1e-6)


def test_bad_requests_are_refused():
    X = np.repeat(np.array([[0.0], [1.0]]), 10, axis=0)
    with pytest.raises(ValueError, match="num_components is 3, but there are only 2 different"):
        mix(X, 3)
    with pytest.raises(ValueError, match="num_components is 30, but there are 20 rows"):
        mix(X, 30)
    with pytest.raises(ValueError, match="covariance_type is 'ROUND'; pass one of FULL, TIED"):
        mix(X, 2, "ROUND")
    with pytest.raises(ValueError, match="make 601 columns, of which covariances are kept for 512"):
        mix(X, 2, codes=(np.zeros(20, int),), cards=(600,))

import numpy as np
import pytest
from fitting import blocks, drive
from hypothesis import given, settings
from hypothesis import strategies as st
from pytest import approx
from sklearn.cluster import KMeans
from sklearn.datasets import load_breast_cancer, load_iris, load_wine
from threadpoolctl import threadpool_limits

from mlpond.udfs.clustering import kmeans as passes
from mlpond.udfs.clustering.kmeans import kmeans
from mlpond.udfs.clustering.kmeans_fit import Fit, Options
from mlpond.udfs.clustering.space import WIDE
from mlpond.udfs.design import Layout


@pytest.fixture(scope="module", autouse=True)
def one_thread():
    """Keep scikit-learn's threads from waiting for each other on a busy machine."""
    with threadpool_limits(1):
        yield


def cluster(X, k, *, given=None, threads=1, sizes=None, codes=(), cards=(), start=None, **options):
    """Fit the rows of X and of one-hot columns."""
    layout = Layout(X.shape[1], tuple(cards))
    sd = X.std(axis=0, ddof=1) if len(X) > 1 else np.zeros(X.shape[1])
    first = kmeans(layout, X.mean(axis=0), sd, len(X), Options(k, **options), given)
    rows = blocks(X, np.zeros(len(X)), codes, sizes=sizes)
    fit = drive(first, rows, threads)
    assert isinstance(fit, Fit)
    return fit


def standardised(X):
    return (X - X.mean(axis=0)) / X.std(axis=0, ddof=1)


def inertia(Z, C):
    """Mean squared distance to the nearest center, from the definition."""
    return ((Z[:, None] - C[None]) ** 2).sum(axis=2).min(axis=1).mean()


@pytest.mark.parametrize("load", [load_iris, load_wine, load_breast_cancer])
@pytest.mark.parametrize("method", ["KMEANS++", "RANDOM"])
def test_loss_is_at_most_that_of_as_many_starts_of_scikit_learn(load, method):
    X = load(return_X_y=True)[0]
    for k in (3, 8):
        fit = cluster(X, k, kmeans_init_method=method, num_init=5)
        init = {"KMEANS++": "k-means++", "RANDOM": "random"}[method]
        other = KMeans(k, init=init, n_init=5, random_state=1, tol=0).fit(standardised(X))
        # both end in the same optimum, summed in another order, or ours is the better one
        assert fit.loss * len(X) <= other.inertia_ * (1 + 1e-12)


def test_given_centers_lead_where_scikit_learn_goes():
    X = load_iris(return_X_y=True)[0]
    rows = X[[0, 60, 110, 20]]
    fit = cluster(X, 4, kmeans_init_method="CUSTOM", given=rows)
    Z = standardised(X)
    init = (rows - X.mean(axis=0)) / X.std(axis=0, ddof=1)
    other = KMeans(4, init=init, n_init=1, tol=0, max_iter=300).fit(Z)
    assert fit.loss * len(X) == approx(other.inertia_, rel=1e-12)
    # the order given is kept; means of 150 rows round by 1e-15 of values around 1
    assert fit.standardised == approx(other.cluster_centers_, abs=1e-13)
    assert list(fit.sizes) == list(np.bincount(other.labels_))
    assert fit.converged
    # one step more sums up what the log's last one led to
    losses = [step.loss for step in fit.iterations]
    assert losses == sorted(losses, reverse=True)


def test_centroids_are_means_of_the_rows_in_their_own_unit():
    X = load_wine(return_X_y=True)[0]
    fit = cluster(X, 3)
    Z = standardised(X)
    label = ((Z[:, None] - fit.standardised[None]) ** 2).sum(axis=2).argmin(axis=1)
    for k in range(3):
        assert fit.centroids[k] == approx(X[label == k].mean(axis=0), rel=1e-13)
        distance = ((Z[label == k] - fit.standardised[k]) ** 2).sum(axis=1)
        assert fit.radii[k] == approx(np.sqrt(distance.mean()), rel=1e-12)
    assert list(fit.sizes) == sorted(np.bincount(label), reverse=True)


@given(seed=st.integers(0, 1000), k=st.integers(1, 5), cosine=st.booleans())
@settings(deadline=None, max_examples=20)
def test_no_step_raises_the_loss_and_the_loss_is_that_of_the_definition(seed, k, cosine):
    X = np.random.default_rng(seed).normal(size=(40, 3)) + 1.0
    kind = "COSINE" if cosine else "EUCLIDEAN"
    fit = cluster(X, k, seed=seed, distance_type=kind)
    losses = [step.loss for step in fit.iterations]
    assert all(b <= a * (1 + 1e-12) for a, b in zip(losses, losses[1:], strict=False))
    Z = standardised(X)
    if cosine:
        Z = Z / np.linalg.norm(Z, axis=1, keepdims=True)
        assert fit.loss == approx((1 - (Z @ fit.standardised.T).max(axis=1)).mean(), rel=1e-12)
    else:
        assert fit.loss == approx(inertia(Z, fit.standardised), rel=1e-12)


@pytest.fixture
def small_samples(monkeypatch):
    """Let a few rows count as many, so that the passes over all rows are made."""
    monkeypatch.setattr(passes, "SAMPLE_ROWS", 50)
    monkeypatch.setattr(passes, "SAMPLE_ROWS_PER_CLUSTER", 10)


def test_passes_over_all_rows_end_where_scikit_learn_does(small_samples):
    rng = np.random.default_rng(3)
    centers = rng.normal(size=(5, 4)) * 10  # so far apart that there is one optimum
    X = centers[rng.integers(5, size=2000)] + rng.normal(size=(2000, 4))
    fit = cluster(X, 5, kmeans_init_method="KMEANS++", sizes=[700, 800, 500])
    other = KMeans(5, n_init=10, random_state=0, tol=0).fit(standardised(X))
    assert fit.loss * 2000 == approx(other.inertia_, rel=1e-12)
    assert fit.passes > 2
    assert len(fit.iterations) == fit.passes - 1


def test_the_fit_does_not_depend_on_the_threads(small_samples):
    X = np.random.default_rng(4).normal(size=(900, 3))
    fits = [cluster(X, 6, threads=threads, sizes=[300] * 3) for threads in (1, 3)]
    assert np.array_equal(fits[0].standardised, fits[1].standardised)
    assert fits[0].loss == fits[1].loss


def test_one_scan_in_mini_batches_comes_near(small_samples):
    rng = np.random.default_rng(5)
    centers = rng.normal(size=(5, 4)) * 4
    X = centers[rng.integers(5, size=3000)] + rng.normal(size=(3000, 4))
    options = {"kmeans_init_method": "KMEANS++", "sizes": [1000] * 3}
    whole = cluster(X, 5, **options)
    fit = cluster(X, 5, batch_size=100, **options)
    assert fit.passes == 3  # the sample, the mini-batches, and one step that sums up
    # the means of 600 rows of a cluster, most of them seen, are off by a few parts in a thousand
    assert fit.loss == approx(whole.loss, rel=1e-3)


def test_an_empty_cluster_is_given_the_farthest_row(small_samples):
    X = np.r_[np.zeros((500, 2)), np.ones((500, 2)), [[9.0, 9.0]]]
    fit = cluster(X, 3, kmeans_init_method="CUSTOM", given=np.array([[0, 0], [0, 0], [1, 1.0]]))
    assert sorted(fit.sizes) == [1, 500, 500]
    assert fit.loss == approx(0.0, abs=1e-20)


@pytest.mark.parametrize("rows", [30, 3000])
@pytest.mark.parametrize("method", ["KMEANS++", "RANDOM"])
def test_more_clusters_than_different_rows_are_refused(small_samples, rows, method):
    X = np.repeat(np.array([[0.1, 0.2], [0.3, 0.7], [1.1, 0.9]]), rows // 3, axis=0)
    with pytest.raises(ValueError, match="4, but there are only 3 different rows; pass 3 or"):
        cluster(X, 4, kmeans_init_method=method)
    assert cluster(X, 3, kmeans_init_method=method).loss == approx(0.0, abs=1e-20)


def test_more_clusters_than_rows_are_refused():
    with pytest.raises(ValueError, match="num_clusters is 3, but there are only 2"):
        cluster(np.ones((2, 1)), 3)


def test_marked_rows_must_be_as_many_as_clusters():
    with pytest.raises(ValueError, match="2 rows are marked .* num_clusters is 3; mark exactly 3"):
        cluster(np.ones((9, 2)), 3, kmeans_init_method="CUSTOM", given=np.ones((2, 2)))


def test_one_row_and_constant_columns():
    fit = cluster(np.array([[3.0, 4.0]]), 1)
    assert fit.centroids.tolist() == [[3.0, 4.0]]
    X = np.c_[np.full(20, 7.0), np.arange(20.0)]
    # the two halves are equally large, so either may come first
    assert sorted(cluster(X, 2).centroids[:, 1]) == approx([4.5, 14.5], rel=1e-14)
    assert cluster(X, 2).centroids[:, 0] == approx([7.0, 7.0], rel=1e-15)


def test_far_from_the_origin_nothing_is_lost():
    X = np.random.default_rng(8).normal(size=(200, 3))
    near = cluster(X, 4, standardize_features=False, seed=1)
    far = cluster(X + 1e8, 4, standardize_features=False, seed=1)
    # the rows themselves are rounded to 1.5e-8
    assert far.loss == approx(near.loss, rel=1e-6)


def test_one_hot_columns_count_as_they_are_and_wide_designs_agree():
    rng = np.random.default_rng(9)
    X, codes = rng.normal(size=(300, 2)), rng.integers(-1, 4, size=300)
    options = {"codes": (codes,), "seed": 2, "kmeans_init_method": "KMEANS++"}
    for kind in ("EUCLIDEAN", "COSINE"):
        narrow = cluster(X, 4, cards=(4,), distance_type=kind, **options)
        # the same columns and many that are never used: these are not written out
        wide = cluster(X, 4, cards=(WIDE + 1,), distance_type=kind, **options)
        assert wide.loss == approx(narrow.loss, rel=1e-12)
        assert wide.centroids[:, :6] == approx(narrow.centroids, abs=1e-12)
        assert not wide.centroids[:, 6:].any()
    onehot = np.eye(5)[codes][:, :4]  # code -1 picks the last row, of which nothing is left
    fit = cluster(X, 4, cards=(4,), **options)
    assert fit.loss == approx(inertia(np.c_[standardised(X), onehot], fit.standardised), rel=1e-12)


def test_cosine_centroids_have_the_length_of_their_rows():
    rng = np.random.default_rng(10)
    X = np.r_[rng.normal(size=(40, 3)) * 0.1 + [1, 0, 0], rng.normal(size=(60, 3)) * 2 + [0, 30, 0]]
    fit = cluster(X, 2, distance_type="COSINE", standardize_features=False)
    assert list(fit.sizes) == [60, 40]
    lengths = np.linalg.norm(X, axis=1)
    assert np.linalg.norm(fit.centroids, axis=1) == approx(
        [lengths[40:].mean(), lengths[:40].mean()], rel=1e-12
    )

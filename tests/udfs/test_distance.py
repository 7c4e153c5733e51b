import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_array_equal
from pytest import approx
from scipy.spatial.distance import cdist

from mlpond.udfs import nearest as sifting
from mlpond.udfs.distance import METRICS, Points, distances, nearest, smallest, squared_distances

SCIPY = {
    "euclidean": "euclidean",
    "squared_euclidean": "sqeuclidean",
    "cosine": "cosine",
    "manhattan": "cityblock",
}


def brute(d, k):
    """The k nearest by sorting everything; of equal ones the first."""
    order = np.argsort(d, axis=1, kind="stable")[:, :k]
    return order, np.take_along_axis(d, order, axis=1)


@pytest.mark.parametrize("metric", METRICS)
def test_distances_agree_with_scipy(metric):
    rng = np.random.default_rng(0)
    X, Y = rng.normal(size=(70, 6)), rng.normal(size=(300, 6))
    # a rounding of |x|² + |y|², at most 100, where d² is at least a hundredth
    assert distances(X, Y, metric) == approx(cdist(X, Y, SCIPY[metric]), rel=1e-11, abs=1e-13)


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("k", [1, 5, 40])
def test_the_nearest_are_those_of_a_full_sort(metric, k):
    rng = np.random.default_rng(1)
    X, Y = rng.normal(size=(300, 8)), rng.normal(size=(2500, 8))
    index, d = brute(cdist(X, Y, SCIPY[metric]), k)
    for threads in (1, 2):
        found = Points(Y, metric).nearest(X, k, threads=threads)
        assert_array_equal(found.index, index)
        assert found.distance == approx(d, rel=1e-12)


@given(seed=st.integers(0, 10_000), metric=st.sampled_from(METRICS))
@settings(deadline=None, max_examples=20)
def test_on_a_grid_ties_go_to_the_first_row(seed, metric):
    rng = np.random.default_rng(seed)
    X, Y = rng.integers(-1, 2, size=(20, 3)) * 1.0, rng.integers(-1, 2, size=(200, 3)) * 1.0
    found = nearest(X, Y, 7, metric)
    if metric == "cosine":  # equal directions may round apart, so the order is left open
        assert found.distance == approx(brute(distances(X, Y, metric), 7)[1], abs=1e-15)
    else:
        assert_array_equal(found.index, brute(cdist(X, Y, SCIPY[metric]), 7)[0])


def test_near_rows_far_from_the_origin_keep_their_digits():
    rng = np.random.default_rng(2)
    Y = rng.normal(size=(50, 4)) + 1e6
    X = Y + rng.normal(size=(50, 4)) * 1e-3
    exact = ((X[:, None] - Y[None]) ** 2).sum(axis=2)
    # |x - mean|² is about 4: above NEAR a rounding of it is 1e-10 of d², below there is none
    assert squared_distances(X, Y) == approx(exact, rel=1e-10)
    assert np.diag(squared_distances(Y, Y)).tolist() == [0.0] * 50


def test_cosine_is_exact_for_nearly_parallel_rows_and_1_for_rows_of_zeros():
    e = 1e-9
    X = np.array([[1.0, 0.0], [0.0, 0.0], [1e-200, 0.0]])
    Y = np.array([[1.0, e], [5.0, 0.0], [0.0, 0.0], [-1.0, 0.0]])
    d = distances(X, Y, "cosine")
    assert d[0] == approx([e * e / 2, 0.0, 1.0, 2.0], rel=1e-12)  # 1 - cos e = e²/2
    assert d[1].tolist() == [1.0] * 4
    assert d[2] == approx(d[0], rel=1e-12)
    found = nearest(X, Y, 4, "cosine")
    assert_array_equal(found.index, [[1, 0, 2, 3], [0, 1, 2, 3], [1, 0, 2, 3]])
    assert found.distance[1].tolist() == [1.0] * 4


@pytest.mark.parametrize("metric", METRICS)
def test_a_query_may_leave_itself_out(metric):
    Y = np.random.default_rng(3).normal(size=(400, 3))
    found = Points(Y, metric).nearest(Y, 3, exclude=np.arange(400))
    d = distances(Y, Y, metric)
    np.fill_diagonal(d, np.inf)
    assert_array_equal(found.index, brute(d, 3)[0])


@pytest.mark.parametrize("spread", [1.0, 1e-30, 1e30])
def test_scales_of_all_sizes_are_sifted(spread):
    rng = np.random.default_rng(4)
    X, Y = rng.normal(size=(50, 4)) * spread, rng.normal(size=(900, 4)) * spread
    found = nearest(X, Y, 3)
    assert_array_equal(found.index, brute(cdist(X, Y), 3)[0])


def test_queries_that_single_precision_cannot_answer_are_answered():
    rng = np.random.default_rng(5)
    Y = rng.normal(size=(900, 4))
    Y[17] = 1e9  # beside it all others look alike in single precision
    X = np.r_[rng.normal(size=(5, 4)), [[1e12] * 4], Y[17:18]]
    found = nearest(X, Y, 3)
    assert_array_equal(found.index, brute(cdist(X, Y), 3)[0])


def test_single_precision_errs_less_than_its_bound(monkeypatch):
    """Without the slack some neighbours would be lost; with a tenth of it hardly any are."""
    rng = np.random.default_rng(6)
    X, Y = rng.normal(size=(400, 16)), np.repeat(rng.normal(size=(300, 16)), 2, axis=0)
    Y[::2] += 1e-7 * rng.normal(size=(300, 16))
    expected = brute(cdist(X, Y), 3)[0]
    assert_array_equal(nearest(X, Y, 3).index, expected)
    monkeypatch.setattr(sifting, "UNIT_ROUNDOFF", 0.0)
    assert (nearest(X, Y, 3).index != expected).any()


def test_smallest_takes_the_first_of_equal_entries():
    d = np.array([[2.0, 1.0, 1.0, 0.0, 1.0], [5.0, 5.0, 5.0, 5.0, 5.0]])
    index, values = smallest(d, 3)
    assert index.tolist() == [[3, 1, 2], [0, 1, 2]]
    assert values.tolist() == [[0, 1, 1], [5, 5, 5]]


def test_no_queries_and_one_point():
    Y = np.array([[1.0, 2.0]])
    assert nearest(np.empty((0, 2)), Y, 1).index.shape == (0, 1)
    assert nearest(np.array([[4.0, 6.0]]), Y, 1).distance.tolist() == [[5.0]]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: Points(np.ones(3)), r"Points: Y has shape \(3,\); pass a matrix"),
        (lambda: Points(np.ones((3, 1)), "l3"), "metric is 'l3'; pass one of euclidean"),
        (lambda: distances(np.ones((2, 3)), np.ones((2, 4))), "X has 3 columns, but Y has 4"),
        (lambda: nearest(np.ones((2, 3)), np.ones((2, 3)), 3), "k is 3, but there are 2 rows"),
        (lambda: nearest(np.ones((2, 3)), np.ones((2, 3)), 0), "k is 0"),
    ],
)
def test_bad_requests_are_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()


@pytest.mark.parametrize("metric", ["euclidean", "cosine", "manhattan"])
def test_rows_may_be_prepared_in_place(metric):
    rng = np.random.default_rng(4)
    Y = rng.normal(100.0, 1.0, (3_000, 5))  # far from 0, so that they are centred
    X = rng.normal(100.0, 1.0, (20, 5))
    kept = Y.copy()
    expected = Points(Y, metric).nearest(X, 4)
    np.testing.assert_array_equal(Y, kept)
    found = Points(Y, metric, overwrite=True).nearest(X, 4)
    np.testing.assert_array_equal(found.index, expected.index)
    np.testing.assert_array_equal(found.distance, expected.distance)

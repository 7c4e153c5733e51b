import numpy as np
import pytest
from numpy.testing import assert_array_equal

from mlpond.udfs.distance import distances, nearest
from mlpond.udfs.neighbours.inverted_file import InvertedFile, by_cell, cell_centers, cells


def groups(n, seed):
    rng = np.random.default_rng(seed)
    centers = np.random.default_rng(0).normal(size=(20, 6)) * 3
    return centers[rng.integers(20, size=n)] + rng.normal(size=(n, 6))


@pytest.mark.parametrize("metric", ["euclidean", "cosine"])
def test_all_cells_give_the_exact_answer_and_few_nearly_so(metric):
    Y, X = groups(4000, 1), groups(300, 2)
    centers = cell_centers(Y, 40, metric, seed=3)
    label = cells(Y, centers, metric)
    assert_array_equal(label, distances(Y, centers, metric).argmin(axis=1))
    index = InvertedFile(Y, centers, label, metric)
    exact = nearest(X, Y, 5, metric)
    whole = index.nearest(X, 5, probes=40)
    assert_array_equal(whole.index, exact.index)
    assert_array_equal(whole.distance, exact.distance)
    few = index.nearest(X, 5, probes=8, threads=2)
    found = np.mean([len(set(a) & set(b)) / 5 for a, b in zip(few.index, exact.index, strict=True)])
    assert found > 0.9  # a fifth of the cells; at random it would be 0.2
    assert np.all(few.distance >= exact.distance)


def test_cells_with_too_few_points_do_not_shorten_the_answer():
    Y = np.r_[np.zeros((3, 2)), np.random.default_rng(1).normal(size=(50, 2)) + 9]
    centers = np.array([[0.0, 0.0], [9.0, 9.0]])
    index = InvertedFile(Y, centers, cells(Y, centers, "euclidean"), "euclidean")
    X = np.zeros((1, 2))
    assert_array_equal(index.nearest(X, 7, probes=1).index, nearest(X, Y, 7).index)


def test_equal_points_make_fewer_cells():
    assert len(cell_centers(np.repeat(np.eye(3), 10, axis=0), 8, "euclidean", seed=0)) == 3


@pytest.mark.parametrize(
    ("metric", "lists", "message"),
    [
        ("manhattan", 2, "'manhattan'; cells are made for euclidean and cosine"),
        ("euclidean", 9, "9"),
    ],
)
def test_bad_requests_are_refused(metric, lists, message):
    with pytest.raises(ValueError, match=message):
        cell_centers(np.ones((3, 2)), lists, metric, seed=0)


def test_points_may_come_in_the_order_of_their_cells():
    rng = np.random.default_rng(5)
    Y, X = rng.normal(size=(400, 3)), rng.normal(size=(30, 3))
    centers = cell_centers(Y, 8, "euclidean", 0)
    label = cells(Y, centers, "euclidean")
    expected = InvertedFile(Y, centers, label, "euclidean").nearest(X, 5, 2)
    index = InvertedFile(Y[by_cell(label)], centers, label, "euclidean", is_sorted=True)
    found = index.nearest(X, 5, 2)
    np.testing.assert_array_equal(found.index, expected.index)
    np.testing.assert_array_equal(found.distance, expected.distance)

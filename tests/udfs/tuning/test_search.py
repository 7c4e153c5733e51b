"""Searching a space: what each algorithm promises."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlpond.udfs.tuning.search import propose
from mlpond.udfs.tuning.space import Choice, Interval, Space

ALGORITHMS = ("GRID_SEARCH", "RANDOM_SEARCH", "VIZIER_DEFAULT")


def branin(x, y):
    """The function of Branin (1972); its minimum is 0.397887."""
    return (
        (y - 5.1 / (4 * math.pi**2) * x**2 + 5 / math.pi * x - 6) ** 2
        + 10 * (1 - 1 / (8 * math.pi)) * math.cos(x)
        + 10
    )


def search(space, algorithm, function, trials, *, seed=0, default=None, batch=1):
    tried, scores = [], []
    while len(tried) < trials:
        found = propose(space, algorithm, default, tried, scores, batch, trials, seed)
        if not found:
            break
        tried += found
        scores += [function(*point) for point in found]
    return tried, scores


@pytest.mark.slow
def test_bayesian_search_beats_random_search_on_branin():
    space = Space((Interval("x", -5.0, 10.0), Interval("y", 0.0, 15.0)))
    ours = [min(search(space, "VIZIER_DEFAULT", branin, 30, seed=s)[1]) for s in range(3)]
    theirs = [min(search(space, "RANDOM_SEARCH", branin, 30, seed=s)[1]) for s in range(3)]
    assert sorted(ours)[1] < 0.45  # the median of three seeds
    assert all(o < t for o, t in zip(sorted(ours), sorted(theirs), strict=True))


def test_a_batch_does_nearly_as_well():
    space = Space((Interval("x", -5.0, 10.0), Interval("y", 0.0, 15.0)))
    tried, scores = search(space, "VIZIER_DEFAULT", branin, 28, batch=4)
    assert len(set(tried)) == 28
    assert min(scores) < 1.0


@pytest.mark.slow
def test_bayesian_search_of_a_mixed_space():
    space = Space((
        Interval("rate", 1e-5, 1.0, log=True), Choice("kind", ("a", "b", "c")),
        Interval("depth", 1, 12, integer=True),
    ))  # fmt: skip

    def loss(rate, kind, depth):
        return (
            (math.log10(rate) + 2) ** 2
            + {"a": 1.0, "b": 0.0, "c": 3.0}[kind]
            + 0.1 * abs(depth - 7)
        )

    tried, scores = search(space, "VIZIER_DEFAULT", loss, 40)
    assert len(set(tried)) == 40
    best = tried[int(np.argmin(scores))]
    assert best[1] == "b"
    assert min(scores) < 0.5
    assert all(isinstance(point[2], int) for point in tried)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_default_first_no_point_twice_and_the_seed(algorithm):
    space = Space((Interval("a", 0.0, 10.0), Choice("b", (0, 1, 10))))

    def loss(a, b):
        return math.nan if a > 8 else (a - 3) ** 2 + b

    tried, scores = search(space, algorithm, loss, 15, default=(1.5, 10))
    assert tried[0] == (1.5, 10)
    assert len(set(tried)) == 15
    assert all(space.holds(point) for point in tried)
    assert search(space, algorithm, loss, 15, default=(1.5, 10))[0] == tried
    outside, _ = search(space, algorithm, loss, 1, default=(1.5, 7))
    assert outside[0] != (1.5, 7)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_small_space_is_searched_to_the_end(algorithm):
    space = Space((Choice("a", ("x", "y")), Interval("n", 1, 3, integer=True)))
    tried, _ = search(space, algorithm, lambda a, n: n + (a == "x"), 20)
    assert sorted(tried) == [(a, n) for a in "xy" for n in (1, 2, 3)]


def test_failed_trials_do_not_stop_the_search():
    space = Space((Interval("a", 0.0, 1.0),))
    tried, _ = search(space, "VIZIER_DEFAULT", lambda a: math.nan, 8)
    assert len(set(tried)) == 8


def test_grid():
    space = Space(
        (Choice("c", ("p", "q")), Interval("l", 1e-2, 1.0, log=True), Interval("x", 0.0, 4.0))
    )
    grid = space.grid(20)  # 3 × 3 values of the intervals fit into 20 with 2 texts
    assert len(grid) == 18
    assert sorted({point[1] for point in grid}) == pytest.approx([0.01, 0.1, 1.0])
    assert sorted({point[2] for point in grid}) == [0.0, 2.0, 4.0]
    assert Interval("s", 0.0, 1.0, open_low=True).grid(4) == [0.25, 0.5, 0.75, 1.0]
    assert Interval("n", 1, 3, integer=True).grid(10) == [1, 2, 3]


@settings(deadline=None, max_examples=20)
@given(u=st.floats(0, 1), log=st.booleans(), integer=st.booleans())
def test_a_value_lies_in_its_interval_and_is_found_again(u, log, integer):
    interval = Interval("a", 1, 20, log=log, integer=integer)
    value = interval.value(u)
    assert interval.holds(value)
    assert interval.value(interval.unit(value)) == pytest.approx(value, rel=1e-9)
    assert 0 <= interval.coordinates(value)[0] <= 1


def test_a_logarithmic_interval_from_zero_begins_at_1e_14():
    interval = Interval("l1_reg", 0.0, 10.0, log=True)
    assert interval.value(0.0) == pytest.approx(1e-14)
    assert interval.value(1.0) == pytest.approx(10.0)
    assert not interval.holds(0.0)

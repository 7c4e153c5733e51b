"""Where k-means begins: the best of several starts on a sample, improved by swaps.

Throughout: S rows of the sample in the space, K centers, d_i the squared distance of row i to its
nearest center.

k-means++ draws the next center among the rows with probability d_i / sum d, which spreads the
centers; its greedy form draws a few and keeps the one that leaves the least sum. A swap draws a
row the same way and puts it in the place of the center that is missed least, if that lowers the
sum. Swaps mend what Lloyd's steps cannot: two centers in one group, and none in another.

Sources: Arthur & Vassilvitskii (2007), k-means++; Lattanzi & Sohler (2019), A better k-means++
algorithm via local search, ICML.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from mlpond.udfs.clustering.kmeans_fit import MOST_ITERATIONS, Iteration, Options
from mlpond.udfs.clustering.lloyd import State, add, is_exhausted, merge, moved, refilled, start
from mlpond.udfs.clustering.space import Centers, Space, Tile
from mlpond.udfs.design import Array, IntArray

SAMPLE_PROGRESS = 1e-4  # of a step on the sample, below which the rest is done on all rows
# Swaps in a row that fail before the search ends, beside 5 a cluster on all rows, 1 on a sample.
FAILURES, FAILURES_ALL = 10, 25
TRIAL_STEPS = 3  # of Lloyd's, after which a swap is judged
NEAR = 1.005  # times the loss to beat, which a swap may still miss then

Run = tuple[float, Array, tuple[Iteration, ...]]  # loss, centers, log


def best_start(
    tiles: Sequence[Tile], space: Space, options: Options, given: Array | None, *, is_all: bool
) -> tuple[Array, tuple[Iteration, ...]]:
    """Try the starts and improve the best.

    Args:
        tiles: The rows.
        space: Where they lie.
        options: Number of clusters, of starts, and the seed.
        given: The centers of CUSTOM, shape (K, p).
        is_all: Whether these are all training rows.

    Returns:
        The centers, shape (K, p), and the log of the steps that led to them.

    Raises:
        ValueError: there are fewer different rows than clusters, and no others.
    """
    rng = np.random.default_rng(options.seed)
    best: Run | None = None
    for _ in range(options.starts):
        if given is not None:
            C = given
        elif options.kmeans_init_method == "RANDOM":
            C = different_rows(tiles, options.num_clusters, rng)
        else:
            C = plus_plus(tiles, options.num_clusters, rng)
        if len(C) < options.num_clusters:
            if is_all:
                raise ValueError(too_many(options.num_clusters, len(C)))
            # the full scan finds rows for those that stay empty
            C = np.concatenate([C, np.repeat(C[:1], options.num_clusters - len(C), axis=0)])
        run = lloyd(tiles, space, options, C, is_all=is_all)
        if best is None or run[0] < best[0]:
            best = run
    assert best is not None
    if given is None:
        best = _swapped(tiles, space, options, best, rng, is_all)
    return best[1], best[2]


def too_many(clusters: int, different: int) -> str:
    """The message of more clusters than rows to fill them."""
    return (
        f"num_clusters is {clusters}, but there are only {different} different rows; "
        f"pass {different} or fewer."
    )


def different_rows(tiles: Sequence[Tile], k: int, rng: np.random.Generator) -> Array:
    """Draw k different rows, or as many as there are, shape (≤ k, p)."""
    sizes = np.array([tile.size for tile in tiles])
    order = rng.permutation(int(sizes.sum()))
    chosen: list[Array] = []
    seen: set[bytes] = set()
    for i in order:
        row = _row(tiles, sizes, int(i)) + 0.0  # so that -0 is 0
        if row.tobytes() not in seen:
            seen.add(row.tobytes())
            chosen.append(row)
        if len(chosen) == k:
            break
    return np.array(chosen)


def plus_plus(tiles: Sequence[Tile], k: int, rng: np.random.Generator) -> Array:
    """Draw k rows by greedy k-means++, or as many as there are different ones, shape (≤ k, p)."""
    sizes = np.array([tile.size for tile in tiles])
    trials = 2 + int(np.log(k))
    C = [_row(tiles, sizes, int(rng.integers(sizes.sum())))]
    d = _squared(tiles, C[0][None])[:, 0]  # (S,)
    while len(C) < k and np.any(d > 0.0):
        rows = np.array([_row(tiles, sizes, int(i)) for i in _draw(d, trials, rng)])
        left = np.minimum(_squared(tiles, rows), d[:, None])  # (S, trials)
        best = int(np.argmin(left.sum(axis=0)))
        C.append(rows[best])
        d = left[:, best]
    return np.array(C)


def lloyd(
    tiles: Sequence[Tile],
    space: Space,
    options: Options,
    C: Array,
    *,
    is_all: bool,
    most: int = MOST_ITERATIONS,
) -> Run:
    """Run Lloyd's steps to their end, or `most` of them.

    Returns:
        The loss, the centers and the log.

    Raises:
        ValueError: clusters stay empty because all rows lie on the other centers.
    """
    log: list[Iteration] = []
    most = min(most, options.iterations)
    while True:
        state = scan(tiles, C)
        rows = int(state.counts.sum())
        if np.any(state.counts == 0) and is_all:
            if is_exhausted(state, C):
                raise ValueError(too_many(len(C), int(np.sum(state.counts > 0))))
            if len(log) < most - 1:
                log.append(logged(len(log), state.counts, state.squared, space))
                C = refilled(C, state)
                continue
        log.append(logged(len(log), state.counts, state.squared, space))
        before = float(state.squared.sum())
        C, squared = moved(C, state, space)
        after = float(squared.sum())
        small = not is_all and before - after <= SAMPLE_PROGRESS * before
        if small or options.stops(before, after, rows) or len(log) >= most:
            return after / rows, C, tuple(log)


def logged(number: int, counts: IntArray, squared: Array, space: Space) -> Iteration:
    """One row of the training log, from the sums of squared distances, shape (K,)."""
    squared = squared / 2.0 if space.cosine else squared
    radii = np.sqrt(squared / np.maximum(counts, 1))
    return Iteration(number, float(squared.sum() / counts.sum()), counts.copy(), radii)


def scan(tiles: Sequence[Tile], C: Array) -> State:
    """One scan of the rows; keeps rows that are far, in case a cluster is empty."""
    centers = Centers(C)
    state = start(*C.shape)
    for tile in tiles:
        one = start(*C.shape)
        add(one, tile, centers, seeks=True)
        state = merge(state, one)
    return state


def _swapped(
    tiles: Sequence[Tile],
    space: Space,
    options: Options,
    run: Run,
    rng: np.random.Generator,
    is_all: bool,
) -> Run:
    """Swap centers for other rows as long as that helps.

    A swap seldom lowers the loss by itself, so it is judged after a few steps of Lloyd's, and one
    that comes near then gets as many as it needs.
    """
    k = len(run[1])
    sizes = np.array([tile.size for tile in tiles])
    failures, most = 0, FAILURES_ALL + 5 * k if is_all else FAILURES + k
    ends = _two_nearest(tiles, run[1])
    while failures < most and k > 1:
        label, first, second = ends
        if not np.any(first > 0.0):
            break
        failures += 1
        row = _row(tiles, sizes, int(_draw(first, 1, rng)[0]))
        d = _squared(tiles, row[None])[:, 0]
        kept = np.minimum(first, d)
        # without center q, its rows go to their second nearest or to the new one
        loss = np.bincount(label, np.minimum(second, d) - kept, k)
        C = run[1].copy()
        C[int(np.argmin(loss))] = row
        again = lloyd(tiles, space, options, C, is_all=is_all, most=TRIAL_STEPS)
        if again[0] > run[0] * NEAR:
            continue
        again = lloyd(tiles, space, options, C, is_all=is_all)
        if again[0] < run[0] * (1.0 - 1e-9):
            run, failures = again, 0
            ends = _two_nearest(tiles, run[1])
    return run


def _two_nearest(tiles: Sequence[Tile], C: Array) -> tuple[IntArray, Array, Array]:
    """The nearest center of every row, and its squared distances to that and to the next."""
    labels, firsts, seconds = [], [], []
    for tile in tiles:
        d = tile.squared(C)  # (m, K)
        label = np.argmin(d, axis=1)
        each = np.arange(tile.size)
        firsts.append(d[each, label])
        d[each, label] = np.inf
        seconds.append(np.min(d, axis=1))
        labels.append(label)
    return np.concatenate(labels), np.concatenate(firsts), np.concatenate(seconds)


def _squared(tiles: Sequence[Tile], points: Array) -> Array:
    return np.concatenate([tile.squared(points) for tile in tiles])


def _draw(weight: Array, k: int, rng: np.random.Generator) -> IntArray:
    """Draw k indices with probability proportional to the weight."""
    total = np.cumsum(weight)
    index = np.searchsorted(total, rng.random(k) * total[-1], side="right")
    # rounding may point behind the last row that has any weight
    return np.asarray(np.minimum(index, np.flatnonzero(weight)[-1]))


def _row(tiles: Sequence[Tile], sizes: IntArray, index: int) -> Array:
    ends = np.cumsum(sizes)
    number = int(np.searchsorted(ends, index, side="right"))
    local = index - int(ends[number] - sizes[number])
    return np.asarray(tiles[number].rows(np.array([local]))[0])

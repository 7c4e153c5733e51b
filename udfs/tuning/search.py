"""Which points of a space to try next.

Scores are losses: the smallest is the best; nan is that of a trial that failed.
Source: Bergstra & Bengio (2012), Random search for hyper-parameter optimization, JMLR 13; Jones,
Schonlau & Welch (1998) for expected improvement; Ginsbourger, Le Riche & Carraro (2010), Kriging
is well-suited to parallelize optimization, for several points at once.
"""

from __future__ import annotations

import math

import numpy as np

from mlpond.udfs.design import Array
from mlpond.udfs.tuning import gaussian_process
from mlpond.udfs.tuning.space import Point, Space

CANDIDATES = 1000  # points among which the most promising is looked for, half of them near the best
ATTEMPTS = 200  # draws after which a new point is no longer looked for


def propose(
    space: Space,
    algorithm: str,
    default: Point | None,
    tried: list[Point],
    scores: list[float],
    count: int,
    trials: int,
    seed: int,
) -> list[Point]:
    """Give the next points; none is one that was tried.

    Args:
        space: Where they lie.
        algorithm: GRID_SEARCH, RANDOM_SEARCH or VIZIER_DEFAULT, which is Bayesian.
        default: The point to begin with, or None.
        tried: The points before, in order.
        scores: What they scored.
        count: How many points are wanted; fewer come if the space has no more.
        trials: How many points there will be in all.
        seed: Chooses the random points; the same arguments give the same points.
    """
    found: list[Point] = []
    scores = list(scores)
    while len(found) < count:
        before = tried + found
        if not before and default is not None and space.holds(default):
            found.append(default)
            scores.append(math.nan)
            continue
        if algorithm == "GRID_SEARCH":
            point = next((p for p in space.grid(trials) if p not in before), None)
        elif algorithm == "RANDOM_SEARCH":
            point = _random(space, before, seed)
        else:
            point, guess = _bayesian(space, before, scores, trials, seed)
            scores.append(guess)  # believed until it is known
        if point is None:
            break
        found.append(point)
    return found


def _random(space: Space, before: list[Point], seed: int) -> Point | None:
    rng = np.random.default_rng([seed, len(before)])
    for _ in range(ATTEMPTS):
        point = space.point(rng.random(len(space.parameters)))
        if point not in before:
            return point
    # a small space that is nearly used up
    if space.size <= CANDIDATES:
        return next((p for p in space.grid(CANDIDATES) if p not in before), None)
    return None


def _bayesian(
    space: Space, before: list[Point], scores: list[float], trials: int, seed: int
) -> tuple[Point | None, float]:
    """The point of the greatest expected improvement, and the score expected there."""
    d = len(space.parameters)
    first = min(max(3, 2 * d), max(2, trials // 2))
    seen = np.array(scores[: len(before)], dtype=np.float64)
    if len(before) < first or np.count_nonzero(np.isfinite(seen)) < 2:
        return _latin(space, before, first, seed), math.nan
    y = _tame(seen)
    process = gaussian_process.fit(space.coordinates(before), y)
    candidates = _candidates(space, before, y, seed)
    if not candidates:
        return None, math.nan
    best = float(np.min(process.predict(process.X)[0]))  # not of y: that may be luck
    mean, sd = process.predict(space.coordinates(candidates))
    at = int(np.argmax(gaussian_process.log_expected_improvement(mean, sd, best)))
    return candidates[at], float(mean[at])


def _tame(scores: Array) -> Array:
    """Scores without the gaps and the far outliers that a smooth function cannot follow.

    What lies three quartile distances above the upper quartile is cut there, and a failed trial
    counts as the worst.
    """
    known = scores[np.isfinite(scores)]
    lower, upper = np.quantile(known, [0.25, 0.75])
    most = min(float(np.max(known)), float(upper + 3.0 * (upper - lower)))
    return np.minimum(np.where(np.isfinite(scores), scores, most), most)


def _latin(space: Space, before: list[Point], n: int, seed: int) -> Point | None:
    """The next point of a Latin hypercube: n points, one in each n-th of every parameter."""
    d = len(space.parameters)
    rng = np.random.default_rng([seed, n])
    order = np.stack([rng.permutation(n) for _ in range(d)], axis=1)  # (n, d)
    points = [space.point(u) for u in (order + rng.random((n, d))) / n]
    found = next((point for point in points if point not in before), None)
    return _random(space, before, seed) if found is None else found


def _candidates(space: Space, before: list[Point], y: Array, seed: int) -> list[Point]:
    if space.size <= CANDIDATES:
        points = space.grid(CANDIDATES)
    else:
        rng = np.random.default_rng([seed, len(before)])
        d = len(space.parameters)
        u = rng.random((CANDIDATES // 2, d))
        centre = space.unit(before[int(np.argmin(y))])
        # steps of all lengths around the best point, in all coordinates or in a few
        length = 10.0 ** rng.uniform(-3.0, -0.5, size=(CANDIDATES // 2, 1))
        moved = rng.random((CANDIDATES // 2, d)) < rng.choice([0.3, 1.0], size=(CANDIDATES // 2, 1))
        near = centre + moved * length * rng.standard_normal((CANDIDATES // 2, d))
        points = [space.point(row) for row in np.vstack([u, np.clip(near, 0.0, 1.0)])]
    known = set(before)
    return [point for point in dict.fromkeys(points) if point not in known]

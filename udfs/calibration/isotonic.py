"""Isotonic regression: the non-decreasing function nearest to the data, by pooling neighbours.

Source: Ayer, Brunk, Ewing, Reid & Silverman (1955), An empirical distribution function for sampling
    with incomplete information, Annals of Mathematical Statistics 26; calibration by it: Zadrozny &
    Elkan (2002), Transforming classifier scores into accurate multiclass probability estimates.
"""

from __future__ import annotations

import numpy as np

from mlpond.udfs.design import Array


def isotonic(x: Array, y: Array) -> tuple[Array, Array]:
    """Fit a non-decreasing function by least squares.

    Args:
        x: Where, shape (n,).
        y: What was seen there, shape (n,).

    Returns:
        Knots and values, between which the function is linear and beyond which it is constant:
        the ends of every stretch on which it is flat.
    """
    if x.size == 0:
        raise ValueError("isotonic: there are no rows; pass at least one.")
    knots, which = np.unique(x, return_inverse=True)  # rows of equal x share one value
    weight = np.bincount(which).astype(np.float64)
    mean = np.bincount(which, weights=y) / weight
    # blocks of pooled neighbours: mean, weight, and how many knots they hold
    means: list[float] = []
    weights: list[float] = []
    counts: list[int] = []
    for value, w in zip(mean.tolist(), weight.tolist(), strict=True):
        means.append(value)
        weights.append(w)
        counts.append(1)
        while len(means) > 1 and means[-2] >= means[-1]:
            total = weights[-2] + weights[-1]
            means[-2] += (means[-1] - means[-2]) * weights[-1] / total
            weights[-2] = total
            counts[-2] += counts[-1]
            del means[-1], weights[-1], counts[-1]
    fitted = np.repeat(means, counts)  # (knots,)
    same_before = np.r_[False, fitted[1:] == fitted[:-1]]
    same_after = np.r_[fitted[1:] == fitted[:-1], False]
    kept = ~(same_before & same_after)
    return knots[kept], fitted[kept]

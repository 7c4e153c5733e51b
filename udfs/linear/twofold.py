"""Sums and products of doubles as two doubles, of twice the precision.

Throughout: a number is the pair (hi, lo), hi the nearest double to the sum of both. eps = 2⁻⁵².

An IEEE sum and product leave an error that is itself a double and that a few more operations
find, on every platform alike; long double has 64 bits of mantissa on some, 53 on others.
Sources: Dekker (1971), Numerische Mathematik 18; Ogita, Rump & Oishi (2005), "Accurate sum and
dot product", SIAM J. Sci. Comput. 26(6).
"""

from __future__ import annotations

import numpy as np

from mlpond.udfs.design import Array

Pair = tuple[Array, Array]

SPLITTER = 2.0**27 + 1.0  # halves of 26 bits, whose products are exact


def two_sum(a: Array, b: Array) -> Pair:
    """The sum and its error: a + b = hi + lo exactly."""
    hi = a + b
    of_b = hi - a
    return hi, (a - (hi - of_b)) + (b - of_b)


def two_product(a: Array, b: Array, halves_of_a: Pair | None = None) -> Pair:
    """The product and its error: a · b = hi + lo exactly, if |a|, |b| < 1e300 and |lo| > 1e-308."""
    hi = a * b
    a1, a2 = halves_of_a or halves(a)
    b1, b2 = halves(b)
    return hi, a2 * b2 - (((hi - a1 * b1) - a2 * b1) - a1 * b2)


def halves(a: Array) -> Pair:
    """The upper and the lower half of the mantissa."""
    scaled = SPLITTER * a
    upper = scaled - (scaled - a)
    return upper, a - upper


def total(values: Array, small: Array) -> Pair:
    """The sum of values and small over the first axis, to eps + eps² · sum|values| / |sum|.

    Neighbours are added in a tree, so that long columns lose no more than short ones.

    Args:
        values: Shape (n, ...).
        small: About eps times as large, such as errors of products; added without correction.
    """
    lo = small.sum(axis=0)
    if not values.shape[0]:
        return np.zeros_like(lo), lo
    while values.shape[0] > 1:
        half = values.shape[0] // 2
        sums, errors = two_sum(values[:half], values[half : 2 * half])
        lo = lo + errors.sum(axis=0)
        values = sums if values.shape[0] % 2 == 0 else np.concatenate([sums, values[-1:]])
    return two_sum(values[0], lo)


def add(a: Pair, b: Pair) -> Pair:
    """The sum of two pairs."""
    hi, lo = two_sum(a[0], b[0])
    return two_sum(hi, lo + (a[1] + b[1]))

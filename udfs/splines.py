"""B-splines as polynomials: the basis that turns one number into several smooth ones.

Throughout: m knots k_0 < … < k_{m-1}, degree d, J = m + d - 1 basis functions B_j. Beyond either
end stand d more knots, at the distance of the last two (Eilers & Marx), so that the basis is
complete on [k_0, k_{m-1}] and sums to 1 there.

    B_{j,0}(x) = 1 where t_j <= x < t_{j+1}
    B_{j,d}(x) = (x - t_j) / (t_{j+d} - t_j) B_{j,d-1}(x)
               + (t_{j+d+1} - x) / (t_{j+d+1} - t_{j+1}) B_{j+1,d-1}(x)

Between two knots each B_j is one polynomial of degree d. In u = (x - k_i) / (k_{i+1} - k_i), which
lies in [0, 1], its coefficients are small and nothing cancels.

Sources: de Boor (2001), A Practical Guide to Splines, chapter IX; Eilers & Marx (1996), Flexible
    smoothing with B-splines and penalties, Statistical Science 11.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def all_knots(knots: Array, degree: int) -> Array:
    """The knots with d more beyond either end, shape (m + 2d,)."""
    steps = np.arange(1, degree + 1, dtype=np.float64)  # (d,)
    below = knots[0] - steps[::-1] * (knots[1] - knots[0])
    above = knots[-1] + steps * (knots[-1] - knots[-2])
    return np.concatenate([below, knots, above])


def basis_pieces(knots: Array, degree: int) -> Array:
    """The polynomials of all basis functions between all neighbouring knots.

    Args:
        knots: Increasing, shape (m,), at least two.
        degree: Of the polynomials, 0 or more.

    Returns:
        c, shape (m - 1, J, d + 1): B_j(x) = sum_p c[i, j, p] u^p for x between k_i and k_{i+1}.

    Raises:
        ValueError: there are fewer than two knots, or they do not increase.
    """
    if len(knots) < 2 or np.any(np.diff(knots) <= 0):
        raise ValueError(f"basis_pieces: knots are {knots}; pass two or more that increase.")
    t = all_knots(knots, degree)
    pieces = np.zeros((len(knots) - 1, len(knots) + degree - 1, degree + 1))
    for i in range(len(knots) - 1):
        k, h = knots[i], knots[i + 1] - knots[i]
        # of degree 0, only the function between the two knots is not zero
        basis = np.zeros((len(t) - 1, degree + 1))
        basis[degree + i, 0] = 1.0
        for p in range(1, degree + 1):
            higher = np.zeros((len(t) - 1 - p, degree + 1))
            for j in range(len(higher)):
                left, right = t[j + p] - t[j], t[j + p + 1] - t[j + 1]
                higher[j] = _times(basis[j], (k - t[j]) / left, h / left)
                higher[j] += _times(basis[j + 1], (t[j + p + 1] - k) / right, -h / right)
            basis = higher
        pieces[i] = basis
    return pieces


def _times(polynomial: Array, constant: float, slope: float) -> Array:
    """The product of a polynomial in u with constant + slope u, both of degree d at most."""
    product = constant * polynomial
    product[1:] += slope * polynomial[:-1]
    return product

"""Losses with a margin, and the smooth losses that lead to them.

Throughout: scores z (n,), label y (n,), excess u (n,) by which a row is on the wrong side.

    classification  y in {0, 1}, s = 2 y - 1:  u = 1 - s z
    regression      two excesses, z - y - epsilon and y - z - epsilon, of which one counts

    squared  max(0, u)²
    hinge    max(0, u); smooth, of width d: (u + R) / 2, R = (u² + 4 d²)^(1/2)

The slope of the smooth hinge, alpha = (1 + u / R) / 2, lies in (0, 1) and is a feasible dual
variable: alpha (1 - alpha) R² = d², the central path of interior point methods. So
sum max(0, u) - alpha u bounds how far the smooth optimum is from that of the hinge.
Source: Chen & Mangasarian (1996), A class of smoothing functions, Comput. Optim. Appl. 5.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mlpond.udfs.design import Array, BoolArray

FAR = 40.0  # widths from the corner beyond which the curvature adds less than a thousandth


@dataclass(frozen=True)
class Margin:
    """Which loss.

    Attributes:
        squared: Whether it is squared.
        epsilon: Error that costs nothing in a regression; None for classification.
    """

    squared: bool
    epsilon: float | None = None

    def excesses(self, z: Array, y: Array) -> list[tuple[Array, Array | float]]:
        """Every u with its derivative in z."""
        if self.epsilon is None:
            s = 2.0 * y - 1.0
            return [(1.0 - s * z, -s)]
        r = z - y
        return [(r - self.epsilon, 1.0), (-r - self.epsilon, -1.0)]

    def loss(self, z: Array, y: Array, width: float = 0.0) -> Array:
        """The loss, smooth if it is a hinge and has a width; shape (n,)."""
        total = np.zeros(z.size)
        for u, _ in self.excesses(z, y):
            if self.squared:
                total += np.maximum(u, 0.0) ** 2
            elif width > 0.0:
                total += 0.5 * (u + np.sqrt(u * u + 4.0 * width * width))
            else:
                total += np.maximum(u, 0.0)
        return total

    def derivatives(self, z: Array, y: Array, width: float, far: float = FAR) -> Derivatives:
        """Everything that a step needs; `far` widths from the corner a row is not bent."""
        out = Derivatives.zeros(z.size)
        for u, side in self.excesses(z, y):
            over = np.maximum(u, 0.0)
            if self.squared:
                out.loss[:] += over * over
                out.slope[:] += 2.0 * over * side
                out.curvature[:] += 2.0 * (u > 0.0)
                out.bent[:] |= u > 0.0
                continue
            R = np.sqrt(u * u + 4.0 * width * width)
            alpha = 0.5 * (1.0 + u / R)
            cube = R * R * R
            out.loss[:] += 0.5 * (u + R)
            out.slope[:] += alpha * side
            out.curvature[:] += 2.0 * width * width / cube
            out.path[:] -= 2.0 * width * u / cube * side
            out.gap[:] += over - alpha * u
            out.bent[:] |= far * width >= R
        return out


@dataclass(frozen=True)
class Derivatives:
    """What is known of every row at its score; arrays of shape (n,).

    Attributes:
        loss: The smooth loss.
        slope: Its derivative in z.
        curvature: Its second derivative in z.
        path: Derivative of the slope in the width.
        gap: What the row adds to the duality gap.
        bent: Whether the curvature is worth counting.
    """

    loss: Array
    slope: Array
    curvature: Array
    path: Array
    gap: Array
    bent: BoolArray

    @classmethod
    def zeros(cls, n: int) -> Derivatives:
        """Of no excess."""
        loss, slope, curvature, path, gap = np.zeros((5, n))
        return cls(loss, slope, curvature, path, gap, np.zeros(n, dtype=bool))

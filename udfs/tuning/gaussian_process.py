"""Gaussian process regression with the Matérn 5/2 kernel, and expected improvement.

Throughout: n points seen, X (n, d), y (n,); l_j length of coordinate j, v the share of noise,
both as logarithms in theta (d + 1,); C = R + v I (n, n), the covariance in units of s².

    r² = sum_j (x_j - x'_j)² / l_j²,  R(x, x') = (1 + √5 r + 5/3 r²) exp(-√5 r)
    m = 1'C⁻¹y / 1'C⁻¹1,  a = C⁻¹(y - m),  s² = (y - m)'a / n
    -log likelihood = n/2 log s² + 1/2 log|C| + constant     (mean m and scale s² profiled out)

Source: Rasmussen & Williams (2006), Gaussian processes for machine learning, chapters 2, 4 and 5;
Jones, Schonlau & Welch (1998), Efficient global optimization, J. Global Optimization 13.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from mlpond.udfs.design import Array
from mlpond.udfs.special import normal_two_sided

LENGTHS = (math.log(0.05), math.log(20.0))  # of coordinates in [0, 1]
NOISE = (math.log(1e-6), 0.0)
STARTS = ((0.3, 1e-3), (1.0, 1e-1), (0.1, 1e-2))  # (length, noise)
STEPS = 40
_ROOT5 = math.sqrt(5.0)


@dataclass(frozen=True)
class GaussianProcess:
    """A fitted process.

    Attributes:
        X: Points seen, shape (n, d).
        theta: Logarithms of the d lengths and of the noise, shape (d + 1,).
        mean: m, far from all points.
        scale: s².
        cholesky: Lower factor of C, shape (n, n).
        a: C⁻¹(y - m), shape (n,).
        negative_log_likelihood: As above, without the constant.
    """

    X: Array
    theta: Array
    mean: float
    scale: float
    cholesky: Array
    a: Array
    negative_log_likelihood: float

    def predict(self, X: Array) -> tuple[Array, Array]:
        """Mean and standard deviation of the function, without noise, at X (m, d).

            var = s² (1 - k'C⁻¹k + (1 - 1'C⁻¹k)² / 1'C⁻¹1)

        The last term is the uncertainty of m.
        """
        k = matern(self.X, X, self.theta[:-1])  # (n, m)
        half = np.linalg.solve(self.cholesky, k)  # (n, m)
        ones = np.linalg.solve(self.cholesky, np.ones(len(self.X)))  # (n,)
        missing = 1.0 - ones @ half  # (m,)
        variance = 1.0 - np.sum(half * half, axis=0) + missing**2 / (ones @ ones)
        return self.mean + k.T @ self.a, np.sqrt(self.scale * np.maximum(variance, 0.0))


def matern(X: Array, Z: Array, log_lengths: Array) -> Array:
    """R between the rows of X (n, d) and Z (m, d), shape (n, m)."""
    r = np.sqrt(np.sum(_squares(X, Z, log_lengths), axis=-1))
    out: Array = (1.0 + _ROOT5 * r + 5.0 / 3.0 * r * r) * np.exp(-_ROOT5 * r)
    return out


def fit(X: Array, y: Array) -> GaussianProcess:
    """Fit lengths and noise by maximum likelihood, inside ``LENGTHS`` and ``NOISE``.

    Fisher scoring from a few starts; every step is damped until the likelihood rises.

    Args:
        X: Points, shape (n, d), each coordinate within about [0, 1].
        y: What was seen there, shape (n,), n of at least 2.
    """
    if len(X) != len(y) or len(y) < 2 or not np.all(np.isfinite(y)):
        raise ValueError(
            f"gaussian_process: X has shape {X.shape} and y {y.shape}; it needs at least 2 points, "
            "each with one finite value."
        )
    fits = []
    for length, noise in STARTS:
        theta = np.full(X.shape[1] + 1, math.log(length))
        theta[-1] = math.log(noise)
        fits.append(_ascend(X, y, theta))
    return min(fits, key=lambda process: process.negative_log_likelihood)


def at(X: Array, y: Array, theta: Array) -> GaussianProcess:
    """The process with the lengths and the noise of theta."""
    C = matern(X, X, theta[:-1]) + math.exp(theta[-1]) * np.eye(len(X))  # (n, n)
    cholesky = np.asarray(np.linalg.cholesky(C), dtype=np.float64)
    ones, half = np.linalg.solve(cholesky, np.column_stack([np.ones(len(X)), y])).T  # (n,) each
    mean = float(ones @ half / (ones @ ones))
    rest = half - mean * ones  # (n,)
    # constant y leave nothing to explain
    scale = max(float(rest @ rest) / len(X), 1e-20 * max(1.0, mean * mean))
    value = 0.5 * len(X) * math.log(scale) + float(np.sum(np.log(np.diag(cholesky))))
    return GaussianProcess(
        X, theta, mean, scale, cholesky, np.linalg.solve(cholesky.T, rest), value
    )


def gradient(process: GaussianProcess) -> tuple[Array, Array]:
    """Slope of the negative log likelihood in theta, (d + 1,), and the expected curvature.

    slope_i = 1/2 tr(A_i) - a'C_i a / (2 s²),  A_i = C⁻¹C_i,  C_i = dC / dtheta_i
    curvature_ij = 1/2 (tr(A_i A_j) - tr(A_i) tr(A_j) / n)
    """
    X, theta, n = process.X, process.theta, len(process.X)
    squares = _squares(X, X, theta[:-1])  # (n, n, d)
    r = np.sqrt(np.sum(squares, axis=-1))
    common = 5.0 / 3.0 * (1.0 + _ROOT5 * r) * np.exp(-_ROOT5 * r)
    parts = [common * squares[:, :, j] for j in range(X.shape[1])]
    parts.append(math.exp(theta[-1]) * np.eye(n))
    inverse = np.linalg.inv(process.cholesky)
    inverse = inverse.T @ inverse  # (n, n)
    A = np.stack([inverse @ part for part in parts])  # (d + 1, n, n)
    traces = np.trace(A, axis1=1, axis2=2)
    fits = np.array([process.a @ part @ process.a for part in parts])
    slope = 0.5 * traces - 0.5 * fits / process.scale
    curvature = 0.5 * (np.einsum("iab,jba->ij", A, A) - np.outer(traces, traces) / n)
    return slope, curvature


def log_expected_improvement(mean: Array, sd: Array, best: float) -> Array:
    """Logarithm of the expected amount by which a value falls below ``best``.

        EI = sd (z Φ(z) + φ(z)),  z = (best - mean) / sd

    Far below, where it has no digit left, by φ(z) / z². Where sd is 0 it is -inf.
    """
    out = np.full(len(mean), -np.inf)
    known = sd > 0
    z = (best - mean[known]) / sd[known]
    log_density = -0.5 * z * z - 0.5 * math.log(2.0 * math.pi)
    tail = 0.5 * normal_two_sided(z)
    near = z * np.where(z < 0, tail, 1.0 - tail) + np.exp(log_density)
    far = z < -6.0
    log = np.where(
        far,
        log_density - 2.0 * np.log(np.maximum(np.abs(z), 1.0)),
        np.log(np.where(far, 1.0, near)),
    )
    out[known] = np.log(sd[known]) + log
    return out


def _squares(X: Array, Z: Array, log_lengths: Array) -> Array:
    """(x_j - z_j)² / l_j², shape (n, m, d)."""
    out: Array = ((X[:, None, :] - Z[None, :, :]) / np.exp(log_lengths)) ** 2
    return out


def _ascend(X: Array, y: Array, theta: Array) -> GaussianProcess:
    low = np.full(len(theta), LENGTHS[0])
    high = np.full(len(theta), LENGTHS[1])
    low[-1], high[-1] = NOISE
    process, damping = at(X, y, theta), 1e-3
    for _ in range(STEPS):
        slope, curvature = gradient(process)
        held = ((process.theta <= low) & (slope > 0)) | ((process.theta >= high) & (slope < 0))
        slope = np.where(held, 0.0, slope)
        if np.max(np.abs(slope)) < 1e-6:
            break
        free = np.flatnonzero(~held)
        block = curvature[np.ix_(free, free)]
        step = np.zeros(len(theta))
        while damping < 1e8:
            damped = block + damping * (np.diag(np.diag(block)) + 1e-6 * np.eye(len(free)))
            step[free] = np.linalg.solve(damped, slope[free])
            trial = np.clip(process.theta - np.clip(step, -2.0, 2.0), low, high)
            found = at(X, y, trial)
            if found.negative_log_likelihood < process.negative_log_likelihood:
                break
            damping *= 10.0
        else:
            break
        process, damping = found, max(damping / 10.0, 1e-6)
    return process

"""One step of EM for a Gaussian mixture.

Throughout: K components of share w_k, mean mu_k and covariance S_k; rows z_i of p columns; r_ik the
probability that row i comes from component k; n_k = sum_i r_ik.

    log p_ik = log w_k - 1/2 (p log 2 pi + log |S_k| + (z_i - mu_k)' S_k^-1 (z_i - mu_k))
    r_ik     = exp(log p_ik - logsumexp_k log p_ik)
    mu_k    ← mu_k + d_k,  d_k = sum_i r_ik (z_i - mu_k) / n_k
    S_k     ← sum_i r_ik (z_i - mu_k)(z_i - mu_k)' / n_k - d_k d_k' + reg_covar I

Sums around the last means keep the digits of a narrow component far from the others.
Source: Dempster, Laird & Rubin (1977), J. R. Stat. Soc. B 39.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from mlpond.udfs.clustering.space import DenseTile
from mlpond.udfs.design import Array

FLAT = 1e-13  # share of a variance that is nothing but rounding


class CollapseError(ValueError):
    """A component has no spread in some direction."""

    def __init__(self, component: int) -> None:
        super().__init__(
            f"component {component + 1} has no spread in some direction, so its density is "
            "infinite; raise reg_covar, ask for fewer components, or leave out constant and "
            "collinear columns."
        )


@dataclass(frozen=True)
class Mixture:
    """A mixture in the space.

    Attributes:
        kind: FULL, TIED, DIAG or SPHERICAL.
        weights: Shape (K,).
        means: Shape (K, p).
        covariances: Shape (K, p, p), or the variances, shape (K, p), for DIAG and SPHERICAL.
    """

    kind: str
    weights: Array
    means: Array
    covariances: Array

    def whitening(self) -> tuple[Array, Array]:
        """What makes the rows of a component standard normal, and -1/2 log |S_k|.

        Returns:
            Shape (K, p, p), upper triangular, or (K, p); and shape (K,).

        Raises:
            CollapseError: a component has no spread in some direction.
        """
        if self.covariances.ndim == 2:
            if np.any(self.covariances <= 0.0):
                raise CollapseError(int(np.argmin(np.min(self.covariances, axis=1))))
            factor = 1.0 / np.sqrt(self.covariances)
            return factor, np.log(factor).sum(axis=1)
        factors = np.empty(self.covariances.shape)
        identity = np.eye(self.means.shape[1])
        for k, covariance in enumerate(self.covariances):
            try:
                lower = np.linalg.cholesky(covariance)
            except np.linalg.LinAlgError as error:
                raise CollapseError(k) from error
            # collinear columns leave pivots of the size of a rounding, of either sign
            if np.any(np.diag(lower) ** 2 <= FLAT * np.diag(covariance)):
                raise CollapseError(k)
            factors[k] = np.linalg.solve(lower, identity).T
        return factors, np.log(np.einsum("kjj->kj", factors)).sum(axis=1)


@dataclass
class State:
    """What one scan leaves.

    Attributes:
        rows: Number of rows.
        log_likelihood: Of these rows.
        counts: n_k, shape (K,).
        first: Sums of r (z - mu_k), shape (K, p).
        second: Sums of r (z - mu_k)(z - mu_k)', shape (K, p, p), or of the squares, shape (K, p).
    """

    rows: int
    log_likelihood: float
    counts: Array
    first: Array
    second: Array


def start(mixture: Mixture) -> State:
    """The state of no rows."""
    k, p = mixture.means.shape
    return State(0, 0.0, np.zeros(k), np.zeros((k, p)), np.zeros(mixture.covariances.shape))


def merge(a: State, b: State) -> State:
    """Add two states."""
    return State(
        a.rows + b.rows, a.log_likelihood + b.log_likelihood, a.counts + b.counts,
        a.first + b.first, a.second + b.second,
    )  # fmt: skip


def log_densities(tile: DenseTile, mixture: Mixture, factor: Array, half_log: Array) -> Array:
    """log p_ik, shape (K, m)."""
    k, p = mixture.means.shape
    out = np.empty((k, tile.size))
    for c in range(k):
        D = tile.Zt - mixture.means[c][:, None]  # (p, m)
        Y = factor[c].T @ D if factor.ndim == 3 else factor[c][:, None] * D
        out[c] = -0.5 * np.einsum("ji,ji->i", Y, Y)
    with np.errstate(divide="ignore"):  # a component of no weight has density 0
        constant = np.log(mixture.weights) + half_log - 0.5 * p * math.log(2.0 * math.pi)
    out += constant[:, None]
    return out


def add(state: State, tile: DenseTile, mixture: Mixture, factor: Array, half_log: Array) -> None:
    """Add the rows of a tile to the state."""
    log_p = log_densities(tile, mixture, factor, half_log)  # (K, m)
    greatest = np.max(log_p, axis=0)  # (m,)
    r = np.exp(log_p - greatest)
    total = np.sum(r, axis=0)
    state.log_likelihood += float(np.sum(greatest + np.log(total)))
    r /= total
    accumulate(state, tile, mixture.means, r)


def accumulate(state: State, tile: DenseTile, means: Array, r: Array) -> None:
    """Add rows that belong to the components in the shares r, shape (K, m)."""
    state.rows += tile.size
    state.counts += r.sum(axis=1)
    for c, mean in enumerate(means):
        D = tile.Zt - mean[:, None]  # (p, m)
        state.first[c] += D @ r[c]
        if state.second.ndim == 2:
            state.second[c] += (D * D) @ r[c]
        else:
            D *= np.sqrt(r[c])
            state.second[c] += D @ D.T


def maximised(state: State, kind: str, means: Array, reg_covar: float) -> Mixture:
    """The mixture that the state calls for."""
    n = state.counts + 10.0 * np.finfo(float).tiny
    step = state.first / n[:, None]  # (K, p)
    p = means.shape[1]
    if kind in ("DIAG", "SPHERICAL"):
        spread = np.maximum(state.second / n[:, None] - step * step, 0.0) + reg_covar
        if kind == "SPHERICAL":
            spread = np.repeat(spread.mean(axis=1, keepdims=True), p, axis=1)
    else:
        outer = step[:, :, None] * step[:, None, :]
        if kind == "TIED":
            pooled = (state.second - n[:, None, None] * outer).sum(axis=0) / state.rows
            spread = np.repeat(pooled[None], len(n), axis=0)
        else:
            spread = state.second / n[:, None, None] - outer
        spread = spread + reg_covar * np.eye(p)
    return Mixture(kind, state.counts / state.rows, means + step, spread)

"""Small dense least squares, with the dependence of one-hot columns taken out by its structure.

Throughout: minimise 1/2 w'Hw - g'w + l2/2 ||w||² over w of shape (p,), where H = R'R is the
cross-product of the centred, standardised columns.

The columns of a complete categorical feature (every row has a category) sum to one, which an
intercept already says: H N = 0 for known vectors N. Of the many minimisers we want the limit of
l2 → 0, the one with the least ||w||. Cutting small singular values would find N too, but would
cut Filip's polynomial along with it. Instead N is made visible: with D² = diag(H) the rows U',
U an orthonormal basis of D N, are put under R D^-1. They are orthogonal to its row space, so the
fit does not change, and what they leave open is closed by projecting w along N afterwards.
Only what is dependent beyond that, to the last digit, is a rank deficiency.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mlpond.udfs.design import Array, BoolArray, IntArray, Layout

EPS = float(np.finfo(np.float64).eps)
COLLINEAR = 1e8  # the condition number from which on we warn


@dataclass(frozen=True)
class Problem:
    """A quadratic in w.

    Attributes:
        H: Shape (p, p).
        g: Shape (p,).
        nulls: Structural null space of H, shape (p, m).
        usable: Columns that vary, shape (p,); the others get weight 0.
        root: R with R'R = H, shape (p, p), where it is known better than H.
        rhs: r with R'r = g, shape (p,), if root is given.
    """

    H: Array
    g: Array
    nulls: Array
    usable: BoolArray
    root: Array | None = None
    rhs: Array | None = None


@dataclass(frozen=True)
class Solution:
    """The minimiser and what was seen on the way.

    Attributes:
        w: Shape (p,).
        condition_number: Of the usable columns, scaled to length 1, without penalty.
        solved_condition: The same of the system that was solved, penalty included.
        dependent: Groups of columns that are nearly or fully dependent.
        is_singular: Whether they are so to the last digit; w is then the shortest minimiser.
        inverse_root: L with L L' the (pseudo-)inverse of H + l2, shape (p, r).
    """

    w: Array
    condition_number: float
    solved_condition: float
    dependent: tuple[tuple[int, ...], ...]
    is_singular: bool
    inverse_root: Array


def one_hot_nulls(
    layout: Layout, seen: BoolArray, complete: BoolArray, fit_intercept: bool
) -> Array:
    """Vectors along which the weights can move without moving any prediction.

    Args:
        layout: The columns.
        seen: Whether each column is ever other than 0, shape (p,).
        complete: Whether every row has a category, for each categorical feature.
        fit_intercept: With one, each complete feature may shift against it; without, the complete
            features may only shift against each other.

    Returns:
        Orthogonal columns, shape (p, m).
    """
    shifts = []
    for offset, size, is_complete in zip(
        layout.code_offsets, layout.cardinalities, complete, strict=True
    ):
        if is_complete:
            shift = np.zeros(layout.width)
            shift[offset : offset + size] = seen[offset : offset + size]
            shifts.append(shift)
    if not shifts:
        return np.zeros((layout.width, 0))
    basis = np.stack(shifts, axis=1)  # (p, m), orthogonal
    if fit_intercept:
        return basis
    # combinations a with sum(a) = 0: what is orthogonal to (1, ..., 1)
    ones = np.ones((basis.shape[1], 1))
    against = np.linalg.qr(ones, mode="complete")[0][:, 1:]
    return _orthonormal(basis @ against)


def project_out(w: Array, nulls: Array) -> Array:
    """The part of w that is orthogonal to every column of nulls; w is (p,) or (p, k)."""
    nulls = nulls[:, np.any(nulls != 0, axis=0)]
    if nulls.shape[1] == 0:
        return w
    q = _orthonormal(nulls)
    return np.asarray(w - q @ (q.T @ w))


def _orthonormal(columns: Array) -> Array:
    return np.linalg.qr(columns)[0] if columns.shape[1] else columns


def solve(problem: Problem, l2: float) -> Solution:
    """The minimiser of the quadratic; of several, the one of least norm."""
    p = problem.g.size
    (keep,) = np.nonzero(problem.usable)
    if keep.size == 0:
        return Solution(np.zeros(p), 1.0, 1.0, (), False, np.zeros((p, 0)))
    H, nulls = problem.H[np.ix_(keep, keep)], problem.nulls[keep]
    length = np.sqrt(np.diag(H))  # (k,)
    if problem.root is not None:
        length = np.linalg.norm(problem.root[:, keep], axis=0)
    nulls = nulls[:, np.any(nulls != 0, axis=0)]
    visible = _orthonormal(length[:, None] * nulls).T  # (m, k)
    plain = _spectrum(problem, keep, length, visible)
    condition = _ratio(plain.values)
    # numpy's own cut for lstsq is eps · max(n, p); ten times p leaves room for the rounding of
    # columns that were computed from each other
    cut = 10 * keep.size * EPS if problem.root is not None else 1e-13**0.5
    dependent = _dependent(plain, keep) if condition > COLLINEAR or plain.values[-1] == 0 else ()
    if l2 > 0:
        # at the optimum w is orthogonal to nulls, so these rows cost nothing
        shorten = nulls.T / length
        shorten /= np.linalg.norm(shorten, axis=1, keepdims=True)
        ridge = np.diag(np.sqrt(l2) / length)
        spectrum = _spectrum(problem, keep, length, np.vstack([shorten, ridge]))
    else:
        spectrum = plain
    solved = _ratio(spectrum.values)
    rank = int(np.sum(spectrum.values > cut * spectrum.values[0]))
    V = spectrum.vectors / length[:, None]  # (k, k), back in units of w
    kept = V[:, :rank] / spectrum.values[:rank]
    if l2 == 0:
        # directions that were cut, moved from units of length to units of w
        free = np.hstack([nulls, V[:, rank:]])
        free = free / np.maximum(np.linalg.norm(free, axis=0), 1e-300)
        kept = project_out(kept, free)
    w = np.zeros(p)
    w[keep] = kept @ spectrum.projected[:rank]
    inverse_root = np.zeros((p, rank))
    inverse_root[keep] = kept
    return Solution(w, condition, solved, dependent, rank < keep.size, inverse_root)


@dataclass(frozen=True)
class _Spectrum:
    """Singular values s (descending), right vectors V, and c: the solution is V (c / s)."""

    values: Array
    vectors: Array
    projected: Array


def _spectrum(problem: Problem, keep: IntArray, length: Array, extra: Array) -> _Spectrum:
    """Of R D^-1 with extra rows under it; from H, where R is not known, by eigenvalues."""
    if problem.root is not None and problem.rhs is not None:
        rows = np.vstack([problem.root[:, keep] / length, extra])
        u, s, vt = np.linalg.svd(rows, full_matrices=False)
        return _Spectrum(s, vt.T, u[: problem.rhs.size].T @ problem.rhs)
    E = problem.H[np.ix_(keep, keep)] / np.outer(length, length) + extra.T @ extra
    values, vectors = np.linalg.eigh((E + E.T) / 2)
    s = np.sqrt(np.maximum(values[::-1], 0.0))
    V = vectors[:, ::-1]
    with np.errstate(divide="ignore", invalid="ignore"):
        projected = np.where(s > 0, (V.T @ (problem.g[keep] / length)) / s, 0.0)
    return _Spectrum(s, V, projected)


def _ratio(values: Array) -> float:
    return float(values[0] / values[-1]) if values[-1] > 0 else float("inf")


def _dependent(spectrum: _Spectrum, keep: IntArray) -> tuple[tuple[int, ...], ...]:
    """The columns that take part in each nearly dependent direction."""
    groups = []
    for value, vector in zip(spectrum.values, spectrum.vectors.T, strict=True):
        if value * COLLINEAR < spectrum.values[0]:
            size = np.abs(vector)
            groups.append(tuple(int(j) for j in keep[size > 0.1 * size.max()]))
    return tuple(groups)

"""The loops of matrix factorisation, compiled.

A half-step gives every user (or item) the vector x that minimises

    sum_j w_j (t_j - f_j · x)² + x' B x

over its ratings j, where f_j is the row of the other side, w_j and t_j are weight and target, and
B is shared by all. Rows are independent of each other, so the result does not depend on threads.

Explicit feedback: w = 1, t = r - μ - intercept of the other side, B = λI.
Implicit: w_j t_j = 1 + α r_j (0 if r_j = 0), w_j = α r_j, B = F'F + λI.
Source: Hu, Koren & Volinsky (2008), Collaborative filtering for implicit feedback datasets;
Takács, Pilászy & Tikk (2011), Applications of the conjugate gradient method for implicit feedback.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

# The order of a sum may change, so that it is vectorised; nan and inf keep their meaning.
_FAST = {"reassoc", "contract", "nsz", "arcp"}
# A pivot below this share of its diagonal is a direction that the ratings say nothing of.
_DEPENDENT = 1e-13
# Curvature below this share of the greatest is rounding of float32; a step along it would be wild.
_FLAT = 1e-6
# Square of a residual's length at which a row is solved: squares of float32 are near underflow.
_SOLVED = 1e-30


@njit(cache=True, nogil=True)
def place(row: Any, column: Any, value: Any, at: Any, to_index: Any, to_value: Any) -> None:
    """Write ratings into compressed rows, each where the next of its row goes; at moves on."""
    for j in range(row.size):
        to = at[row[j]]
        at[row[j]] += 1
        to_index[to] = column[j]
        to_value[to] = value[j]


@njit(cache=True, nogil=True)
def place_rows(indptr: Any, index: Any, value: Any, at: Any, to_index: Any, to_value: Any) -> None:
    """Write compressed rows into those of the other side, in the order of the rows."""
    for row in range(indptr.size - 1):
        for j in range(indptr[row], indptr[row + 1]):
            to = at[index[j]]
            at[index[j]] += 1
            to_index[to] = row
            to_value[to] = value[j]


@njit(cache=True, nogil=True, inline="always")
def _weights(rating: float, offset: float, alpha: float) -> Any:
    """Weight w and w · t of a rating; alpha below 0 means explicit feedback."""
    if alpha < 0.0:
        return 1.0, rating - offset
    w = alpha * rating
    return w, (1.0 + w if rating > 0.0 else 0.0)


@njit(cache=True, nogil=True, fastmath=_FAST)
def solve_exactly(
    first: int, last: int, indptr: Any, index: Any, value: Any, F: Any, offset: Any, B: Any,
    alpha: float, X: Any,
) -> None:  # fmt: skip
    """Solve rows first up to last by Cholesky's factorisation.

    Args:
        first: First row.
        last: The row behind the last.
        indptr: Of the compressed rows.
        index: Of the compressed rows.
        value: Of the compressed rows.
        F: Rows of the other side, shape (m, d).
        offset: Taken off the rating, by the other side, shape (m,).
        B: Shared part of the matrix, shape (d, d).
        alpha: Weight of a unit of implicit feedback; below 0 for explicit feedback.
        X: Written to, shape (n, d).
    """
    d = F.shape[1]
    A = np.empty((d, d))
    x = np.empty(d)
    for row in range(first, last):
        A[:, :] = B
        x[:] = 0.0
        j, end = indptr[row], indptr[row + 1]
        while j + 4 <= end:  # four ratings at once: A is read and written a quarter as often
            f0, f1, f2, f3 = F[index[j]], F[index[j + 1]], F[index[j + 2]], F[index[j + 3]]
            w0, t0 = _weights(value[j], offset[index[j]], alpha)
            w1, t1 = _weights(value[j + 1], offset[index[j + 1]], alpha)
            w2, t2 = _weights(value[j + 2], offset[index[j + 2]], alpha)
            w3, t3 = _weights(value[j + 3], offset[index[j + 3]], alpha)
            for a in range(d):
                c0, c1, c2, c3 = w0 * f0[a], w1 * f1[a], w2 * f2[a], w3 * f3[a]
                for b in range(a + 1):
                    A[a, b] += c0 * f0[b] + c1 * f1[b] + c2 * f2[b] + c3 * f3[b]
                x[a] += t0 * f0[a] + t1 * f1[a] + t2 * f2[a] + t3 * f3[a]
            j += 4
        while j < end:
            f = F[index[j]]
            w, t = _weights(value[j], offset[index[j]], alpha)
            for a in range(d):
                c = w * f[a]
                for b in range(a + 1):
                    A[a, b] += c * f[b]
                x[a] += t * f[a]
            j += 1
        _cholesky_solve(A, x)
        X[row, :] = x


@njit(cache=True, nogil=True, fastmath=_FAST)
def _cholesky_solve(A: Any, x: Any) -> None:
    """Solve A y = x in place of x; A is read below its diagonal and written to.

    A direction that depends on those before it, which happens without a penalty only, gets 0.
    """
    d = x.size
    for a in range(d):
        diagonal = A[a, a]
        for b in range(a):
            s = A[a, b]
            for k in range(b):
                s -= A[a, k] * A[b, k]
            A[a, b] = s * A[b, b]  # the diagonal holds reciprocals
        s = diagonal
        for k in range(a):
            s -= A[a, k] * A[a, k]
        A[a, a] = 1.0 / np.sqrt(s) if s > _DEPENDENT * diagonal else 0.0
    for a in range(d):
        s = x[a]
        for k in range(a):
            s -= A[a, k] * x[k]
        x[a] = s * A[a, a]
    for a in range(d - 1, -1, -1):
        x[a] *= A[a, a]
        for k in range(a):
            x[k] -= A[a, k] * x[a]


@njit(cache=True, nogil=True, fastmath=_FAST)
def _add_residuals(
    begin: int, end: int, index: Any, value: Any, F: Any, offset: Any, alpha: float, B: Any,
    x: Any, targets: float, out: Any,
) -> None:  # fmt: skip
    """Write sum_j (targets · w_j t_j - w_j f_j · x) f_j - B x into out, shape (d,)."""
    d = x.size
    zero = np.float32(0.0)
    for a in range(d):
        s = zero
        for b in range(d):
            s += B[a, b] * x[b]
        out[a] = -s
    j = begin
    while j + 4 <= end:  # four ratings at once: x and out are read a quarter as often
        f0, f1, f2, f3 = F[index[j]], F[index[j + 1]], F[index[j + 2]], F[index[j + 3]]
        w0, t0 = _weights(value[j], offset[index[j]], alpha)
        w1, t1 = _weights(value[j + 1], offset[index[j + 1]], alpha)
        w2, t2 = _weights(value[j + 2], offset[index[j + 2]], alpha)
        w3, t3 = _weights(value[j + 3], offset[index[j + 3]], alpha)
        s0, s1, s2, s3 = zero, zero, zero, zero
        for a in range(d):
            s0 += f0[a] * x[a]
            s1 += f1[a] * x[a]
            s2 += f2[a] * x[a]
            s3 += f3[a] * x[a]
        r0, r1 = np.float32(targets * t0 - w0 * s0), np.float32(targets * t1 - w1 * s1)
        r2, r3 = np.float32(targets * t2 - w2 * s2), np.float32(targets * t3 - w3 * s3)
        for a in range(d):
            out[a] += r0 * f0[a] + r1 * f1[a] + r2 * f2[a] + r3 * f3[a]
        j += 4
    while j < end:
        f = F[index[j]]
        w, t = _weights(value[j], offset[index[j]], alpha)
        s = zero
        for a in range(d):
            s += f[a] * x[a]
        r = np.float32(targets * t - w * s)
        for a in range(d):
            out[a] += r * f[a]
        j += 1


@njit(cache=True, nogil=True, fastmath=_FAST)
def solve_by_gradients(
    first: int, last: int, indptr: Any, index: Any, value: Any, F: Any, offset: Any, B: Any,
    alpha: float, X: Any, squares: Any, steps: int,
) -> None:  # fmt: skip
    """Improve rows first up to last by some steps of conjugate gradients, from what X holds.

    Each step lowers the row's sum. The arguments are those of `solve_exactly`, but F, B and X are
    float32: twice as many fit into cache and register, and a few steps are not exact anyway.
    Besides squares, |f|² of every row of F, shape (m,), and how many steps.
    """
    d = F.shape[1]
    shared = 0.0
    for a in range(d):
        shared += B[a, a]
    r, p, Ap = np.empty(d, np.float32), np.empty(d, np.float32), np.empty(d, np.float32)
    for row in range(first, last):
        x = X[row]
        begin, end = indptr[row], indptr[row + 1]
        _add_residuals(begin, end, index, value, F, offset, alpha, B, x, 1.0, r)
        trace = shared  # at least the greatest curvature
        for j in range(begin, end):
            trace += squares[index[j]] * _weights(value[j], 0.0, alpha)[0]
        rr = 0.0
        for a in range(d):
            p[a] = r[a]
            rr += r[a] * r[a]
        for _ in range(steps):
            if not rr > _SOLVED:
                break
            _add_residuals(begin, end, index, value, F, offset, alpha, B, p, 0.0, Ap)  # -A p
            curvature, size = 0.0, 0.0
            for a in range(d):
                curvature -= p[a] * Ap[a]
                size += p[a] * p[a]
            if not curvature > _FLAT * trace * size:
                break
            length = np.float32(rr / curvature)
            before = rr
            rr = 0.0
            for a in range(d):
                x[a] += length * p[a]
                r[a] += length * Ap[a]
                rr += r[a] * r[a]
            turn = np.float32(rr / before)
            for a in range(d):
                p[a] = r[a] + turn * p[a]


@njit(cache=True, nogil=True, fastmath=_FAST)
def losses(
    first: int, last: int, indptr: Any, index: Any, value: Any, F: Any, offset: Any,
    alpha: float, X: Any, out: Any,
) -> None:  # fmt: skip
    """Loss of each row over its ratings, into out (n,).

    Explicit: sum (t - s)². Implicit: sum (1 + w)(preference - s)² - s², so that the sum of s²
    over all pairs may be added.
    """
    d = F.shape[1]
    for row in range(first, last):
        x = X[row]
        total = 0.0
        for j in range(indptr[row], indptr[row + 1]):
            f = F[index[j]]
            s = 0.0
            for a in range(d):
                s += f[a] * x[a]
            w, t = _weights(value[j], offset[index[j]], alpha)
            if alpha < 0.0:
                total += (t - s) ** 2
            else:
                preference = 1.0 if value[j] > 0.0 else 0.0
                total += (1.0 + w) * (preference - s) ** 2 - s * s
        out[row] = total


@njit(cache=True, nogil=True)
def _mix(x: Any) -> Any:
    """Steele, Lea & Flood's (2014) splitmix64: 64 well mixed bits of a counter."""
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))


@njit(cache=True, nogil=True)
def _below(counter: Any, n: int) -> Any:
    """A number from 0 to n - 1 for a counter, evenly to 2**-32."""
    bits = _mix(counter * np.uint64(0x9E3779B97F4A7C15)) >> np.uint64(32)
    return np.int64((bits * np.uint64(n)) >> np.uint64(32))


@njit(cache=True, nogil=True, fastmath=_FAST)
def rank_pairs(
    draws: int, counter: Any, user_of: Any, indptr: Any, index: Any, P: Any, Q: Any, c: Any,
    rate: float, ridge: float,
) -> Any:  # fmt: skip
    """Take stochastic gradient steps of Bayesian personalised ranking.

    A draw is a rating (u, i), every one as likely, and an item j that u has not rated:

        x = c_i - c_j + p_u · (q_i - q_j),  step along the gradient of ln σ(x) - λ/2 |parameters|²

    Returns:
        The sum of -ln σ(x) before each step, of how many draws, and how many had x > 0.
    """
    items, K = Q.shape
    total, counted, ordered = 0.0, 0, 0
    for _ in range(draws):
        at = _below(counter, index.size)
        counter += np.uint64(1)
        u, i = user_of[at], index[at]
        begin, end = indptr[u], indptr[u + 1]
        if end - begin >= items:
            continue  # whoever rated everything prefers nothing
        while True:
            j = _below(counter, items)
            counter += np.uint64(1)
            lo, hi = begin, end
            while lo < hi:
                middle = (lo + hi) // 2
                if index[middle] < j:
                    lo = middle + 1
                else:
                    hi = middle
            if lo == end or index[lo] != j:
                break
        p, qi, qj = P[u], Q[i], Q[j]
        x = c[i] - c[j]
        for k in range(K):
            x += p[k] * (qi[k] - qj[k])
        counted += 1
        ordered += x > 0.0
        # -ln σ(x), and 1 - σ(x), without overflow
        if x > 0.0:
            e = np.exp(-x)
            total += np.log1p(e)
            g = e / (1.0 + e)
        else:
            e = np.exp(x)
            total += np.log1p(e) - x
            g = 1.0 / (1.0 + e)
        c[i] += rate * (g - ridge * c[i])
        c[j] += rate * (-g - ridge * c[j])
        for k in range(K):
            pk, ik, jk = p[k], qi[k], qj[k]
            p[k] = pk + rate * (g * (ik - jk) - ridge * pk)
            qi[k] = ik + rate * (g * pk - ridge * ik)
            qj[k] = jk + rate * (-g * pk - ridge * jk)
    return total, counted, ordered, counter

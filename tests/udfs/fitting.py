"""What the tests of trainers share: blocks from arrays, a driver, and the naive objective."""

from __future__ import annotations

import itertools

import numpy as np

from mlpond.udfs.design import Block, Layout, Sparse
from mlpond.udfs.linear.fit import Moments
from mlpond.udfs.trainer import Pass, fold


def moments(X, y=None):
    rows = X.shape[0]
    sd = X.std(axis=0, ddof=1) if rows > 1 else np.zeros(X.shape[1])
    constant = np.ptp(X, axis=0) == 0 if rows else np.ones(X.shape[1], bool)
    sd = np.where(constant, 0.0, sd)
    return Moments(X.mean(axis=0), sd, rows, 0.0 if y is None else float(y.mean()))


def blocks(X, y, codes=(), weight=None, sizes=None, sparse=(), offset=None):
    """Blocks of the given sizes; by default one."""
    y = np.asarray(y, dtype=float)
    cuts = np.r_[0, np.cumsum(sizes if sizes is not None else [y.size])]
    assert cuts[-1] == y.size
    out = []
    for first, last in itertools.pairwise(cuts):
        rows = slice(int(first), int(last))
        out.append(
            Block(
                np.asfortranarray(X[rows]),
                tuple(c[rows] for c in codes),
                tuple(sparse_rows(s, rows) for s in sparse),
                y[rows],
                None if weight is None else weight[rows],
                None if offset is None else offset[rows],
            )
        )
    return out


def sparse_rows(matrix, rows):
    """Some rows of a dense matrix as a sparse feature."""
    part = matrix[rows]
    row, column = np.nonzero(part)
    indptr = np.r_[0, np.cumsum(np.bincount(row, minlength=part.shape[0]))]
    return Sparse(indptr, column, part[row, column])


def train(first, rows, threads=1, held_out=None):
    """Drive the passes to their fit, as an engine does."""
    step = first
    for _ in range(2000):
        state = fold(step, rows, threads)
        judged = None
        if held_out is not None and step.evaluation is not None:
            judged = fold(step.evaluation, held_out, threads)
        step = step.finish(state, judged)
        if not isinstance(step, Pass):
            return step
    raise AssertionError("no fit after 2000 passes")


def one_hot(codes, size):
    """One column a category; code -1 is a row of zeros."""
    return np.vstack([np.eye(size), np.zeros(size)])[codes]


def standardised(X, codes=(), cardinalities=()):
    """The design that the penalty sees, written out."""
    Z = (X - X.mean(axis=0)) / X.std(axis=0, ddof=1)
    return np.hstack([Z, *(one_hot(c, k) for c, k in zip(codes, cardinalities, strict=True))])


def log_loss(Z, w, intercept, y, weight=None):
    """Sum of the losses of C weight vectors (C, p), the naive way."""
    weight = np.ones(y.size) if weight is None else weight
    z = Z @ w.T + intercept
    if z.shape[1] == 1:
        z = np.hstack([np.zeros_like(z), z])
    own = z[np.arange(y.size), y.astype(int)]
    return float(weight @ (np.logaddexp.reduce(z, axis=1) - own))


def objective(Z, fit, y, l1=0.0, l2=0.0, weight=None):
    w = fit.standardised
    penalty = l1 * np.abs(w).sum() + l2 / 2 * (w**2).sum()
    return log_loss(Z, w, fit.standardised_intercept, y, weight) + penalty


def layout_of(X, cardinalities=(), sparse=()):
    return Layout(X.shape[1], tuple(cardinalities), tuple(s.shape[1] for s in sparse))


def drive(first, rows, threads=1):
    """Drive any chain of passes to its end; a pass that wants a sample gets the first rows."""
    step = first
    while isinstance(step, Pass):
        given = rows
        if step.sample is not None:
            given = [_head(block, step.sample) for block in rows]
        step = step.finish(fold(step, given, threads))
    return step


def _head(block, share):
    n = max(1, round(share * block.rows))
    return Block(block.X[:n], tuple(c[:n] for c in block.codes), (), block.y[:n])

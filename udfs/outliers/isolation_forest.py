"""Isolation forest: a row that few random cuts part from the others is an outlier.

A tree cuts a sample of m rows at random places of random columns until every row is alone or
ceil(log2 m) cuts are made. h(x) is the number of cuts that x passes, and where it ends among s rows
c(s) more, the mean depth of a search tree of s keys:

    c(s)      = 2 (H(s - 1) - (s - 1) / s),  H the harmonic numbers; c(2) = 1, c(1) = 0
    score(x)  = 2 ** (-mean over the trees of h(x) / c(m)), in (0, 1); 0.5 for a row like any other

Source: Liu, Ting & Zhou (2008), Isolation forest, ICDM; (2012), ACM TKDD 6.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mlpond.udfs.design import Array, IntArray
from mlpond.udfs.distance import in_parallel, pieces

ROWS_AT_ONCE = 4096  # of a piece of work


@dataclass(frozen=True)
class Tree:
    """A tree as arrays over its nodes, the root first; a leaf is its own child.

    Attributes:
        column: The column that a node looks at, 0 in a leaf.
        cut: Rows below it go left; in a leaf infinity.
        left: The node below.
        right: The other one.
        depth: What a leaf adds to the path: its depth, and c of its rows.
    """

    column: IntArray
    cut: Array
    left: IntArray
    right: IntArray
    depth: Array


def search_depth(rows: float) -> float:
    """c(s): the mean depth of an unsuccessful search in a tree of so many keys."""
    if rows <= 1:
        return 0.0
    if rows == 2:
        return 1.0
    return 2.0 * (float(np.log(rows - 1.0)) + float(np.euler_gamma)) - 2.0 * (rows - 1.0) / rows


def grow(X: Array, rng: np.random.Generator) -> Tree:
    """Cut a sample, shape (m, p), at random until its rows are alone."""
    limit = int(np.ceil(np.log2(max(len(X), 2))))
    column, cut, left, right, depth = [0], [np.inf], [0], [0], [0.0]
    waiting = [(0, np.arange(len(X)), 0)]
    while waiting:
        node, rows, level = waiting.pop()
        low, high = X[rows].min(axis=0), X[rows].max(axis=0)  # (p,)
        open_columns = np.flatnonzero(high > low)
        if level >= limit or len(rows) <= 1 or not len(open_columns):
            depth[node] = level + search_depth(len(rows))
            continue
        j = int(rng.choice(open_columns))
        place = rng.uniform(low[j], high[j])
        if not low[j] < place:  # so near that no number lies between
            place = high[j]
        below = X[rows, j] < place
        column[node], cut[node] = j, place
        for side, part in ((left, rows[below]), (right, rows[~below])):
            side[node] = len(column)
            waiting.append((len(column), part, level + 1))
            own = len(column)
            column.append(0)
            cut.append(np.inf)
            left.append(own)
            right.append(own)
            depth.append(0.0)
    return Tree(
        np.array(column), np.array(cut), np.array(left), np.array(right), np.array(depth)
    )  # fmt: skip


def isolation_forest(
    X: Array, trees: int = 100, sample: int = 256, seed: int = 0, threads: int = 1
) -> Array:
    """Score the rows of X, shape (n, p), finite; the greater the more of an outlier.

    Args:
        X: The rows.
        trees: Number of trees, from 1.
        sample: Rows of each, from 2; all rows if there are fewer.
        seed: Chooses samples and cuts.
        threads: How many threads may work at once.

    Raises:
        ValueError: trees or sample are too few.
    """
    if trees < 1 or sample < 2:
        raise ValueError(
            f"isolation_forest: trees is {trees} and sample is {sample}; they must be at least 1 "
            "and 2."
        )
    n = len(X)
    if n < 2:
        return np.full(n, np.nan)
    size = min(sample, n)
    rng = np.random.default_rng(seed)
    forest = [grow(X[rng.choice(n, size, replace=False)], rng) for _ in range(trees)]
    limit = int(np.ceil(np.log2(max(size, 2))))
    from mlpond.udfs.outliers.isolation_loops import path_lengths

    roots = np.cumsum([0, *(len(tree.cut) for tree in forest[:-1])])
    column = np.concatenate([tree.column for tree in forest])
    cut = np.concatenate([tree.cut for tree in forest])
    left = np.concatenate([tree.left + root for tree, root in zip(forest, roots, strict=True)])
    right = np.concatenate([tree.right + root for tree, root in zip(forest, roots, strict=True)])
    depth = np.concatenate([tree.depth for tree in forest])
    X, total = np.ascontiguousarray(X), np.empty(n)

    def walk(rows: slice) -> None:
        total[rows] = path_lengths(X[rows], roots, column, cut, left, right, depth, limit)

    in_parallel(walk, list(pieces(n, ROWS_AT_ONCE)), threads)
    return np.asarray(2.0 ** (-total / trees / search_depth(size)))

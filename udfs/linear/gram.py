"""Weighted cross-products M'WM of a block, M = [1, X - shift, extra].

Few columns are written out and multiplied by BLAS in pieces that the cache holds. Many one-hot
columns are not: their products are counts and sums by category, and cost one addition each.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from mlpond.udfs.design import Array, Block, Layout, rows_at_once

WRITTEN_OUT = 24  # one-hot columns up to which BLAS on zeros beats counting


def counts(layout: Layout) -> bool:
    """Whether the one-hot columns of this layout are counted instead of written out."""
    return not layout.sparse_widths and sum(layout.cardinalities) > WRITTEN_OUT


def pieces(
    block: Block,
    layout: Layout,
    shift: Array,
    ones: bool,
    extra: Array | None,
    at_least: int = 0,
) -> Iterator[tuple[slice, Array]]:
    """The rows of M = [1, X - shift, extra], a cache-sized piece (or at_least so many) at a time.

    The array is used again for the next piece; the caller may change it.
    """
    first = int(ones)
    last = first + layout.width
    columns = last + (0 if extra is None else extra.shape[1])
    size = min(max(rows_at_once(columns), at_least), max(block.rows, 1))
    buffer = np.empty(size * columns)
    for start in range(0, block.rows, size):
        rows = slice(start, min(start + size, block.rows))
        n = rows.stop - rows.start
        M = buffer[: n * columns].reshape((n, columns), order="F")
        if ones:
            M[:, 0] = 1.0
        block.fill(layout, rows, shift, M[:, first:last])
        if extra is not None:
            M[:, last:] = extra[rows]
        yield rows, M


def cross_products(
    block: Block,
    layout: Layout,
    shift: Array,
    ones: bool,
    extra: Array | None = None,
    weight: Array | None = None,
    right: Array | None = None,
) -> Array:
    """M'WM, or (M right)'W(M right), shape (q, q).

    Args:
        block: The rows.
        layout: The columns.
        shift: Of the dense columns, shape (dense,).
        ones: Whether M starts with a column of ones.
        extra: Columns that M ends with, shape (n, e).
        weight: Of the rows, not negative, shape (n,).
        right: Shape (q, q).
    """
    if counts(layout) and right is None:
        return _counted(block, layout, shift, ones, extra, weight)
    root = None if weight is None else np.sqrt(weight)
    q = int(ones) + layout.width + (0 if extra is None else extra.shape[1])
    total = np.zeros((q, q))
    for rows, M in pieces(block, layout, shift, ones, extra):
        if root is not None:
            M *= root[rows, None]
        if right is not None:
            M = M @ right
        total += M.T @ M
    return total


def _counted(
    block: Block,
    layout: Layout,
    shift: Array,
    ones: bool,
    extra: Array | None,
    weight: Array | None,
) -> Array:
    """The same, by category."""
    numeric = Layout(layout.dense)
    rows = Block(block.X, (), (), block.y)
    first, onehot = int(ones), sum(layout.cardinalities)
    before = first + layout.dense
    q = before + onehot + (0 if extra is None else extra.shape[1])
    plain = np.r_[0:before, before + onehot : q]  # the columns that are no category's
    total = np.zeros((q, q))
    total[np.ix_(plain, plain)] = cross_products(rows, numeric, shift, ones, extra, weight)

    values = np.ones(block.rows) if weight is None else weight
    columns = [values] * first
    columns += [(block.dense_column(j) - shift[j]) * values for j in range(layout.dense)]
    if extra is not None:
        columns += [extra[:, e] * values for e in range(extra.shape[1])]
    for a, (codes, offset, size) in enumerate(
        zip(block.codes, layout.code_offsets, layout.cardinalities, strict=True)
    ):
        known = codes + 1  # code -1 is counted in front and dropped
        own = slice(first + offset, first + offset + size)
        for j, column in zip(plain, columns, strict=True):
            total[own, j] = np.bincount(known, column, size + 1)[1:]
            total[j, own] = total[own, j]
        total[own, own] = np.diag(np.bincount(known, values, size + 1)[1:])
        for b in range(a):
            other_size = layout.cardinalities[b] + 1
            begin = first + layout.code_offsets[b]
            other = slice(begin, begin + layout.cardinalities[b])
            pair = known.astype(np.int64) * other_size + (block.codes[b] + 1)
            table = np.bincount(pair, values, (size + 1) * other_size)
            table = table.reshape(size + 1, other_size)[1:, 1:]
            total[own, other] = table
            total[other, own] = table.T
    return total

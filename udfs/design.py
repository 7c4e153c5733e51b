"""The design matrix as trainers see it: blocks of rows, of which the wide part is never expanded.

Throughout: n rows of a block, p columns of the design (`Layout.width`), K columns of weights.
The columns lie in this order, everywhere: the dense numeric features, then the one-hot columns
of each categorical feature, then the columns of each sparse feature. The intercept is not part
of the design; where a model has one, its weight is stored behind the p others.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
IntArray = NDArray[Any]  # of any integer type
BoolArray = NDArray[np.bool_]

# Numbers that are worked on at once: 2**17 doubles are 1 MB, which the second-level cache holds.
CACHE_ROWS = 8192
CACHE_CELLS = 2**17


def rows_at_once(columns: int) -> int:
    """How many rows of so many columns fit into the cache."""
    return max(256, min(CACHE_ROWS, CACHE_CELLS // max(columns, 1)))


@dataclass(frozen=True)
class Layout:
    """Which columns a design has.

    Attributes:
        dense: Numeric columns.
        cardinalities: Categories of each categorical feature.
        sparse_widths: Columns of each sparse feature.
    """

    dense: int
    cardinalities: tuple[int, ...] = ()
    sparse_widths: tuple[int, ...] = ()

    @cached_property
    def width(self) -> int:
        """Columns in all, without an intercept."""
        return self.dense + sum(self.cardinalities) + sum(self.sparse_widths)

    @cached_property
    def code_offsets(self) -> tuple[int, ...]:
        """First column of each categorical feature."""
        return _offsets(self.dense, self.cardinalities)

    @cached_property
    def sparse_offsets(self) -> tuple[int, ...]:
        """First column of each sparse feature."""
        return _offsets(self.dense + sum(self.cardinalities), self.sparse_widths)


def _offsets(first: int, widths: tuple[int, ...]) -> tuple[int, ...]:
    offsets = []
    for width in widths:
        offsets.append(first)
        first += width
    return tuple(offsets)


@dataclass(frozen=True)
class Sparse:
    """Rows with few entries: those of row i are at indptr[i] up to indptr[i + 1].

    Attributes:
        indptr: Shape (n + 1,), first entry 0.
        index: Column of each entry, counted within the feature; columns may repeat in a row.
        value: Value of each entry.
    """

    indptr: IntArray
    index: IntArray
    value: Array

    def part(self, rows: slice) -> Sparse:
        """Some rows."""
        indptr = self.indptr[rows.start : rows.stop + 1]
        entries = slice(int(indptr[0]), int(indptr[-1]))
        return Sparse(indptr - indptr[0], self.index[entries], self.value[entries])

    @cached_property
    def row(self) -> IntArray:
        """The row of each entry."""
        return np.repeat(np.arange(self.indptr.size - 1), np.diff(self.indptr))


class Columns:
    """Dense columns that lie apart, as Arrow hands them over: a matrix made only in pieces.

    Copying 5M × 20 of them into one matrix, block by block, takes as long as their Gram matrix.
    """

    def __init__(self, columns: Sequence[Array]) -> None:
        self.columns = tuple(columns)
        self.shape = (self.columns[0].size, len(self.columns))
        self.nbytes = sum(column.nbytes for column in self.columns)

    def __getitem__(self, rows: slice) -> Array:
        """Some rows of all columns side by side, in Fortran order."""
        first = self.columns[0][rows]
        out = np.empty((first.size, len(self.columns)), order="F")
        self.write(rows, None, out)
        return out

    def part(self, rows: slice) -> Columns:
        """Some rows, as they lie."""
        return Columns([column[rows] for column in self.columns])

    def write(self, rows: slice, shift: Array | None, out: Array) -> None:
        """Write some rows less the shift into out, shape (m, p)."""
        for j, column in enumerate(self.columns):
            if shift is None:
                out[:, j] = column[rows]
            else:
                np.subtract(column[rows], shift[j], out=out[:, j])


@dataclass(frozen=True)
class Block:
    """Some rows of the training data; all numbers are finite.

    Attributes:
        X: Dense columns, shape (n, layout.dense): a matrix, best in Fortran order, or Columns.
        codes: For each categorical feature the category of each row, -1 for none of them.
        sparse: For each sparse feature its entries.
        y: Label, shape (n,): a number, or the index of the class.
        weight: Weight of each row, shape (n,); None for 1.
        offset: Added to the score of each row, shape (n,); None for 0.
    """

    X: Array | Columns
    codes: tuple[IntArray, ...] = ()
    sparse: tuple[Sparse, ...] = ()
    y: Array = field(default_factory=lambda: np.empty(0))
    weight: Array | None = None
    offset: Array | None = None

    @property
    def rows(self) -> int:
        """Number of rows."""
        return int(self.y.size)

    @property
    def counted(self) -> int:
        """Number of rows whose weight is not 0."""
        return self.rows if self.weight is None else int(np.count_nonzero(self.weight))

    @property
    def total_weight(self) -> float:
        """Sum of the weights."""
        return float(self.rows if self.weight is None else np.sum(self.weight))

    def part(self, rows: slice) -> Block:
        """Some rows, of which nothing is copied but sparse entries."""
        return Block(
            self.X.part(rows) if isinstance(self.X, Columns) else self.X[rows],
            tuple(codes[rows] for codes in self.codes),
            tuple(feature.part(rows) for feature in self.sparse),
            self.y[rows],
            None if self.weight is None else self.weight[rows],
            None if self.offset is None else self.offset[rows],
        )

    def dense_column(self, j: int) -> Array:
        """One dense column, shape (n,)."""
        return self.X.columns[j] if isinstance(self.X, Columns) else self.X[:, j]

    def dense_matrix(self, layout: Layout, rows: slice | None = None) -> Array:
        """All columns, one-hot columns written out, shape (n, p), Fortran order."""
        rows = slice(0, self.rows) if rows is None else rows
        out = np.empty((rows.stop - rows.start, layout.width), order="F")
        self.fill(layout, rows, None, out)
        return out

    def fill(self, layout: Layout, rows: slice, shift: Array | None, out: Array) -> None:
        """Write the columns of some rows into out, the dense ones less the shift."""
        dense = out[:, : layout.dense]
        if isinstance(self.X, Columns):
            self.X.write(rows, shift, dense)
        elif shift is None:
            dense[...] = self.X[rows]
        else:
            np.subtract(self.X[rows], shift, out=dense)
        if out.shape[1] == layout.dense:
            return
        out[:, layout.dense :] = 0.0
        for codes, offset in zip(self.codes, layout.code_offsets, strict=True):
            code = codes[rows]
            (known,) = np.nonzero(code >= 0)
            out[known, offset + code[known]] = 1.0
        for feature, offset in zip(self.sparse, layout.sparse_offsets, strict=True):
            first, last = feature.indptr[rows.start], feature.indptr[rows.stop]
            row = feature.row[first:last] - rows.start
            np.add.at(out, (row, offset + feature.index[first:last]), feature.value[first:last])

    def matvec(self, layout: Layout, w: Array, shift: Array | None = None) -> Array:
        """X @ w without writing X out; the shift is taken from the dense columns.

        Args:
            layout: The columns.
            w: Weights, shape (p,) or (p, K).
            shift: Subtracted from the dense columns, shape (dense,).

        Returns:
            Scores, shape (n,) or (n, K).
        """
        if w.ndim == 2:
            columns = [self.matvec(layout, w[:, k], shift) for k in range(w.shape[1])]
            return np.stack(columns, axis=1)
        scores = np.zeros(self.rows)  # (n,)
        if layout.dense:
            for rows, X in self.shifted(layout, shift):
                scores[rows] = X @ w[: layout.dense]
        for codes, offset, size in zip(
            self.codes, layout.code_offsets, layout.cardinalities, strict=True
        ):
            # the zero behind the weights is what code -1 picks
            scores += np.append(w[offset : offset + size], 0.0)[codes]
        for feature, offset in zip(self.sparse, layout.sparse_offsets, strict=True):
            terms = feature.value * w[offset + feature.index]
            scores += np.bincount(feature.row, weights=terms, minlength=self.rows)
        return scores

    def rmatvec(self, layout: Layout, r: Array, shift: Array | None = None) -> Array:
        """X.T @ r without writing X out; the shift is taken from the dense columns.

        Args:
            layout: The columns.
            r: One number a row, shape (n,), or K of them, shape (n, K).
            shift: Subtracted from the dense columns, shape (dense,).

        Returns:
            Shape (p,) or (p, K).
        """
        if r.ndim == 2:
            columns = [self.rmatvec(layout, r[:, k], shift) for k in range(r.shape[1])]
            return np.stack(columns, axis=1)
        out = np.zeros(layout.width)  # (p,)
        if layout.dense:
            for rows, X in self.shifted(layout, shift):
                out[: layout.dense] += X.T @ r[rows]
        for codes, offset, size in zip(
            self.codes, layout.code_offsets, layout.cardinalities, strict=True
        ):
            # code -1 is counted in front of the others and dropped
            out[offset : offset + size] = np.bincount(codes + 1, r, size + 1)[1:]
        for feature, offset, size in zip(
            self.sparse, layout.sparse_offsets, layout.sparse_widths, strict=True
        ):
            terms = feature.value * r[feature.row]
            out[offset : offset + size] = np.bincount(feature.index, terms, size)
        return out

    def squares(self, layout: Layout, weight: Array, shift: Array | None = None) -> Array:
        """Weighted sum of squares of every column, shape (p,)."""
        out = np.zeros(layout.width)
        if layout.dense:
            for rows, X in self.shifted(layout, shift):
                out[: layout.dense] += (X * X).T @ weight[rows]
        ones = Block(
            np.empty((self.rows, 0)), self.codes, tuple(map(_squared, self.sparse)), self.y
        )
        rest = Layout(0, layout.cardinalities, layout.sparse_widths)
        out[layout.dense :] = ones.rmatvec(rest, weight)
        return out

    def shifted(self, layout: Layout, shift: Array | None) -> Iterator[tuple[slice, Array]]:
        """Dense columns less the shift, in pieces that the cache holds."""
        size = rows_at_once(layout.dense)
        for first in range(0, self.rows, size):
            rows = slice(first, min(first + size, self.rows))
            yield rows, self.X[rows] if shift is None else self.X[rows] - shift


def _squared(feature: Sparse) -> Sparse:
    return Sparse(feature.indptr, feature.index, feature.value**2)

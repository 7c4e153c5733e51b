"""The space in which rows are clustered: the columns of the design, standardised or not.

Throughout: n rows of a block, m of a piece of it, p columns of the design, z a row in the space.

    z = (x - shift) / scale      numeric columns; one-hot and sparse columns stay as they are
    z / |z|                      under the cosine distance
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from mlpond.udfs.design import Array, Block, IntArray, Layout, rows_at_once
from mlpond.udfs.distance import squared_distances

WIDE = 512  # columns of the design beyond which they are not written out
DISTANCES = ("EUCLIDEAN", "COSINE")


@dataclass(frozen=True)
class Space:
    """Where distances are measured.

    Attributes:
        layout: The columns.
        shift: Taken from the dense columns, shape (layout.dense,).
        scale: What each column is divided by, shape (p,); 1 beyond the dense ones.
        cosine: Whether rows are brought to unit length.
    """

    layout: Layout
    shift: Array
    scale: Array
    cosine: bool = False

    @classmethod
    def of(
        cls, layout: Layout, mean: Array, sd: Array, *, standardize: bool, cosine: bool = False
    ) -> Space:
        """The space of a model.

        Args:
            layout: The columns.
            mean: Of the dense columns, shape (layout.dense,).
            sd: Their sample standard deviations; a column without spread is not scaled.
            standardize: Whether to centre and scale. If not, columns are still centred under the
                Euclidean distance, which does not see it but for its rounding.
            cosine: Whether rows are brought to unit length afterwards.
        """
        for name, given in (("mean", mean), ("sd", sd)):
            if given.shape != (layout.dense,):
                raise ValueError(
                    f"Space: {name} has shape {given.shape}, but the layout has {layout.dense} "
                    "dense columns; pass one number per dense column."
                )
        scale = np.ones(layout.width)
        if standardize:
            scale[: layout.dense] = np.where(np.isfinite(sd) & (sd > 0), sd, 1.0)
        centred = standardize or not cosine
        shift = np.where(np.isfinite(mean), mean, 0.0) if centred else np.zeros(layout.dense)
        return cls(layout, shift, scale, cosine)

    @property
    def is_wide(self) -> bool:
        """Whether the columns are too many to write out."""
        return self.layout.width > WIDE

    def tiles(self, block: Block, points: int, most: int | None = None) -> Iterator[Tile]:
        """Pieces of a block, sized so that their distances to so many points fit the cache.

        A piece is good until the next one is asked for. A wide block comes in one piece.

        Args:
            block: The rows.
            points: To how many points they will be measured.
            most: Rows of a piece at most.
        """
        if self.is_wide:
            yield WideTile(self, block)
            return
        size = min(rows_at_once(self.layout.width + points), most or block.rows)
        buffer = np.empty(self.layout.width * min(size, block.rows))
        for first in range(0, block.rows, size):
            rows = slice(first, min(first + size, block.rows))
            yield DenseTile(*self._written(block, rows, buffer))

    def tile(self, block: Block) -> Tile:
        """All rows of a block, to be kept."""
        if self.is_wide:
            return WideTile(self, block)
        buffer = np.empty(self.layout.width * block.rows)
        return DenseTile(*self._written(block, slice(0, block.rows), buffer))

    def matrix(self, block: Block) -> Array:
        """The rows of a block, one-hot columns written out, shape (n, p), Fortran order."""
        buffer = np.empty(self.layout.width * block.rows)
        return self._written(block, slice(0, block.rows), buffer)[0].T

    def _written(self, block: Block, rows: slice, buffer: Array) -> tuple[Array, Array | None]:
        """Some rows, transposed, shape (p, m), and under the cosine distance their lengths."""
        p, dense = self.layout.width, self.layout.dense
        Zt = buffer[: p * (rows.stop - rows.start)].reshape(p, -1)
        block.fill(self.layout, rows, self.shift, Zt.T)
        Zt[:dense] /= self.scale[:dense, None]
        if not self.cosine:
            return Zt, None
        norm = np.sqrt(np.einsum("ji,ji->i", Zt, Zt))  # (m,)
        Zt /= np.where(norm > 0.0, norm, 1.0)
        return Zt, norm

    def raw(self, points: Array) -> Array:
        """Points of the space, before they were brought to unit length, as rows of the design."""
        raw: Array = points * self.scale
        raw[:, : self.layout.dense] += self.shift
        return raw

    def enclosed(self, rows: Array) -> Array:
        """The inverse of raw, brought to unit length under the cosine distance."""
        points = rows.copy()
        points[:, : self.layout.dense] -= self.shift
        points /= self.scale
        return unit(points) if self.cosine else points


def unit(points: Array) -> Array:
    """Points at unit length; a row of zeros stays one."""
    norm = np.linalg.norm(points, axis=1, keepdims=True)
    scaled: Array = points / np.where(norm > 0.0, norm, 1.0)
    return scaled


class Centers:
    """K points of the space, with what their distances need.

    Attributes:
        C: Shape (K, p).
        Ct: Its transpose, shape (p, K).
        half: |c|² / 2, shape (K,).
    """

    def __init__(self, C: Array) -> None:
        self.C = np.ascontiguousarray(C)
        self.Ct = np.ascontiguousarray(C.T)
        self.half = 0.5 * np.einsum("kj,kj->k", C, C)


@dataclass(frozen=True)
class DenseTile:
    """Rows written out.

    Attributes:
        Zt: The rows, transposed, shape (p, m).
        norm: Their lengths before they were brought to 1, or None.
    """

    Zt: Array
    norm: Array | None

    def assign(self, centers: Centers, sums: Array, counts: IntArray) -> tuple[IntArray, Array]:
        """Find the nearest center of every row.

        Args:
            centers: The points.
            sums: The differences of the rows to their centers are added, shape (p, K).
            counts: Their numbers are added, shape (K,).

        Returns:
            Label and squared distance of every row, both (m,).
        """
        from mlpond.udfs.distance_loops import add_differences, nearest_point

        rows = self.Zt.shape[1]
        label, squared = np.empty(rows, dtype=np.int32), np.empty(rows)
        nearest_point(centers.C @ self.Zt, centers.half, label)
        add_differences(self.Zt, centers.Ct, label, squared, sums, counts)
        return label, squared

    @property
    def size(self) -> int:
        """Number of rows."""
        return int(self.Zt.shape[1])

    def squared(self, points: Array) -> Array:
        """Squared distances to some points, shape (m, K); 0 for a row that is one of them."""
        return squared_distances(self.Zt.T, points)

    def rows(self, index: IntArray) -> Array:
        """Some of the rows, shape (len(index), p)."""
        return np.ascontiguousarray(self.Zt[:, index].T)


class WideTile:
    """Rows of which the one-hot and sparse columns are not written out."""

    def __init__(self, space: Space, block: Block) -> None:
        self._space, self._block = space, block
        layout = space.layout
        weight = 1.0 / space.scale**2
        squares = np.zeros(block.rows)
        for rows, X in block.shifted(layout, space.shift):
            squares[rows] = (X * X) @ weight[: layout.dense]
        for codes in block.codes:
            squares += codes >= 0
        for feature in block.sparse:
            # the encoders give each column of a row at most one entry
            squares += np.bincount(feature.row, feature.value**2, block.rows)
        self._squares = squares  # (n,)
        self.norm = np.sqrt(squares) if space.cosine else None
        self._weight = np.ones(block.rows)  # what brings a row to unit length
        if self.norm is not None:
            self._weight = 1.0 / np.where(self.norm > 0.0, self.norm, 1.0)

    def assign(self, centers: Centers, sums: Array, counts: IntArray) -> tuple[IntArray, Array]:
        """Find the nearest center of every row; see DenseTile."""
        space, block = self._space, self._block
        points, each = len(centers.C), np.arange(block.rows)
        distance = self.squared(centers.C)  # (n, K)
        label = np.argmin(distance, axis=1)
        member = np.zeros((block.rows, points))
        member[each, label] = self._weight
        found = np.bincount(label, minlength=points)
        counts += found
        total = block.rmatvec(space.layout, member, space.shift) / space.scale[:, None]
        sums += total - found * centers.Ct
        return label, distance[each, label]

    @property
    def size(self) -> int:
        """Number of rows."""
        return self._block.rows

    def squared(self, points: Array) -> Array:
        """Squared distances to some points, shape (n, K), to a rounding of the squared lengths."""
        scaled = np.ascontiguousarray((points / self._space.scale).T)  # (p, K)
        distance = self._block.matvec(self._space.layout, scaled, self._space.shift)  # (n, K)
        distance *= -2.0 * self._weight[:, None]
        distance += self._squares[:, None] * self._weight[:, None] ** 2
        distance += np.einsum("kj,kj->k", points, points)
        # the sum of some rounded squares is no more exact than this
        distance[distance < 1e-14 * (1.0 + self._squares * self._weight**2)[:, None]] = 0.0
        return distance

    def rows(self, index: IntArray) -> Array:
        """Some of the rows, shape (len(index), p)."""
        block, layout = self._block, self._space.layout
        out = np.empty((index.size, layout.width))
        for position, i in enumerate(index):
            block.fill(layout, slice(int(i), int(i) + 1), self._space.shift, out[position, None])
        out /= self._space.scale
        return unit(out) if self._space.cosine else out


Tile = DenseTile | WideTile

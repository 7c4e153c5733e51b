"""Ratings in compressed rows, by user and by item.

Alternating least squares needs all ratings of a user at once, then all of an item, so they are
kept in memory in both orders: 16 bytes a rating (an int32 id code and a float32 rating, twice),
and 12 more while they are sorted. A rating is rounded to float32, 7 digits; all sums are float64.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mlpond.udfs.design import IntArray

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Compressed:
    """The ratings of row n (a user, or an item) are at indptr[n] up to indptr[n + 1].

    Attributes:
        indptr: Shape (n + 1,), int64.
        index: The other side of each rating, int32, ascending within a row.
        value: The rating, float32.
    """

    indptr: IntArray
    index: IntArray
    value: Floats

    @property
    def rows(self) -> int:
        """How many users, or items."""
        return int(self.indptr.size - 1)

    @property
    def counts(self) -> IntArray:
        """Ratings of each row, shape (n,)."""
        return np.diff(self.indptr)

    def transpose(self, columns: int) -> Compressed:
        """The same ratings by the other side, in time linear in their number."""
        from mlpond.udfs.recommend.loops import sort_by

        row = np.repeat(np.arange(self.rows, dtype=np.int32), self.counts)
        return Compressed(*sort_by(self.index, row, self.value, columns))


@dataclass(frozen=True)
class Ratings:
    """Ratings in both orders."""

    by_user: Compressed
    by_item: Compressed

    @property
    def size(self) -> int:
        """How many ratings there are."""
        return int(self.by_user.index.size)


def pack(user: IntArray, item: IntArray, rating: Floats, users: int, items: int) -> Ratings:
    """Sort ratings into both orders; the order in which they came leaves no trace.

    Args:
        user: Code of the user of each rating, from 0, shape (n,), int32.
        item: Code of its item.
        rating: The rating.
        users: How many users there are.
        items: How many items there are.

    Raises:
        ValueError: there is no rating, one is not finite, or a pair is rated twice.
    """
    from mlpond.udfs.recommend.loops import sort_by

    if user.size == 0:
        raise ValueError("matrix_factorization: there are no ratings to learn from.")
    if not np.isfinite(rating).all():
        raise ValueError(
            "matrix_factorization: a rating is NaN or infinite, or too large for float32; "
            "leave it out."
        )
    # sorting by item and then stably by user leaves the items of a user ascending
    first = Compressed(*sort_by(item, user, rating, items))
    by_user = first.transpose(users)
    same = (by_user.index[1:] == by_user.index[:-1]) & _within(by_user)
    if same.any():
        raise ValueError(
            f"matrix_factorization: {int(same.sum())} ratings are of a user and an item that have "
            "one already; keep one of them, for example their average."
        )
    return Ratings(by_user, by_user.transpose(items))


def _within(rows: Compressed) -> NDArray[np.bool_]:
    """Whether rating j + 1 belongs to the row of rating j, shape (n - 1,)."""
    within = np.ones(rows.index.size, dtype=bool)
    within[rows.indptr[1:-1][rows.indptr[1:-1] < rows.index.size]] = False
    return within[1:]

"""Ratings in compressed rows, by user and by item.

Alternating least squares needs all ratings of a user at once, then all of an item, so they are
kept in memory in both orders: 16 bytes a rating (an int32 id code and a float32 rating, twice),
and 4 more while they are sorted. A rating is rounded to float32, 7 digits; all sums are float64.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mlpond.udfs.design import IntArray
from mlpond.udfs.memory import give_back

Floats = NDArray[np.float32]
Piece = tuple[IntArray, IntArray, Floats]  # codes of users and items, int32, and the ratings


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
        from mlpond.udfs.recommend.loops import place_rows

        out = _room(np.bincount(self.index, minlength=columns))
        place_rows(
            self.indptr, self.index, self.value, out.indptr[:-1].copy(), out.index, out.value
        )
        return out


@dataclass(frozen=True)
class Ratings:
    """Ratings in both orders."""

    by_user: Compressed
    by_item: Compressed

    @property
    def size(self) -> int:
        """How many ratings there are."""
        return int(self.by_user.index.size)


def pack(pieces: list[Piece], users: int, items: int) -> Ratings:
    """Sort ratings into both orders; the order in which they came leaves no trace.

    Args:
        pieces: The ratings: code of the user of each, from 0, code of its item, and the rating.
            The list is emptied, so that each piece can be given back once it is sorted in.
        users: How many users there are.
        items: How many items there are.

    Raises:
        ValueError: there is no rating, one is not finite, or a pair is rated twice.
    """
    if not any(user.size for user, _, _ in pieces):
        raise ValueError("matrix_factorization: there are no ratings to learn from.")
    if not all(np.isfinite(rating).all() for _, _, rating in pieces):
        raise ValueError(
            "matrix_factorization: a rating is NaN or infinite, or too large for float32; "
            "leave it out."
        )
    # the users of an item come out ascending, and then the items of a user
    by_item = _by_user(pieces, users).transpose(items)
    by_user = by_item.transpose(users)
    same = (by_user.index[1:] == by_user.index[:-1]) & _within(by_user)
    if same.any():
        raise ValueError(
            f"matrix_factorization: {int(same.sum())} ratings are of a user and an item that have "
            "one already; keep one of them, for example their average."
        )
    return Ratings(by_user, by_item)


def _by_user(pieces: list[Piece], users: int) -> Compressed:
    """Ratings by user, those of one in any order."""
    from mlpond.udfs.recommend.loops import place

    counts = np.zeros(users, dtype=np.int64)
    for user, _, _ in pieces:
        counts += np.bincount(user, minlength=users)
    out = _room(counts)
    at = out.indptr[:-1].copy()
    while pieces:
        place(*pieces.pop(), at, out.index, out.value)
    give_back()
    return out


def _room(counts: IntArray) -> Compressed:
    """Room for so many ratings in each row."""
    indptr = np.concatenate([[0], np.cumsum(counts, dtype=np.int64)])
    size = int(indptr[-1])
    return Compressed(indptr, np.empty(size, np.int32), np.empty(size, np.float32))


def _within(rows: Compressed) -> NDArray[np.bool_]:
    """Whether rating j + 1 belongs to the row of rating j, shape (n - 1,)."""
    within = np.ones(rows.index.size, dtype=bool)
    within[rows.indptr[1:-1][rows.indptr[1:-1] < rows.index.size]] = False
    return within[1:]

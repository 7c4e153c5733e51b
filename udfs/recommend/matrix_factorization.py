"""Matrix factorisation as a trainer: one scan packs the ratings, the rest happens in memory.

A block has two categorical features, the codes of user and item, and the rating as its label.
Memory: 20 bytes a rating at most (see ratings.py), 8 (K + 1) bytes a user and an item, and
8 (K + 1)² bytes a thread.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mlpond.udfs.design import Array, Block, Layout
from mlpond.udfs.recommend.alternating import alternate
from mlpond.udfs.recommend.fit import Fit, Options
from mlpond.udfs.recommend.pairwise import rank_by_pairs
from mlpond.udfs.recommend.ratings import Piece, pack

State = list[Piece]


@dataclass(frozen=True)
class Pack:
    """The scan that gathers ratings: codes of users and items, and the rating as float32."""

    layout: Layout
    options: Options
    sample: float | None = None

    @property
    def evaluation(self) -> Pack | None:
        """Held-out ratings are gathered in the same way, where their loss means something."""
        return self if self.options.feedback_type == "EXPLICIT" else None

    def start(self) -> State:
        """No ratings."""
        return []

    def step(self, state: State, block: Block) -> State:
        """Add the ratings of a block."""
        # copies, so that the memory of the block can be used again
        user, item = (np.array(codes, dtype=np.int32) for codes in block.codes)
        with np.errstate(over="ignore"):  # said by pack()
            state.append((user, item, np.array(block.y, dtype=np.float32)))
        return state

    def merge(self, a: State, b: State) -> State:
        """Keep the blocks in their order."""
        return a + b

    def finish(self, state: State, evaluation: State | None = None) -> Fit:
        """Pack the ratings and fit them.

        Raises:
            ValueError: the ratings do not allow a fit; says why.
        """
        users, items = self.layout.cardinalities
        ratings = pack(state, users, items)
        if self.options.feedback_type == "BPR":
            return rank_by_pairs(ratings, self.options)
        if not evaluation:
            return alternate(ratings, self.options)
        held_user, held_item, held_rating = _joined(evaluation)

        def mean_squared_error(fit: Fit) -> float:
            error: Array = held_rating - fit.score(held_user, held_item)
            return float(np.mean(error * error))

        return alternate(ratings, self.options, mean_squared_error)


def _joined(state: State) -> Piece:
    """The ratings of all blocks, in their order."""
    empty = (np.empty(0, np.int32), np.empty(0, np.int32), np.empty(0, np.float32))
    user, item, rating = (
        np.concatenate(arrays) for arrays in zip(*(state or [empty]), strict=True)
    )
    return user, item, rating


def matrix_factorization(users: int, items: int, options: Options) -> Pack:
    """Build the trainer of a factorisation of users × items ratings."""
    return Pack(Layout(0, (users, items)), options)

"""k-means in mini-batches, after each of which the centers move: one scan goes nearly all the way.

A center is the mean of all rows that were ever assigned to it. Blocks begin with the same centers
and their rows are added up, so that the result does not depend on the threads.

Source: Sculley (2010), Web-scale k-means clustering, WWW.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from mlpond.udfs.clustering.kmeans_fit import Options
from mlpond.udfs.clustering.lloyd_pass import LloydPass
from mlpond.udfs.clustering.space import Centers, Space, unit
from mlpond.udfs.design import Array, Block, IntArray


@dataclass
class Batches:
    """What one scan in mini-batches leaves.

    Attributes:
        sums: Sum of the differences of the rows to the center their scan began with, (p, K).
        counts: Rows of each center, shape (K,).
    """

    sums: Array
    counts: Array


@dataclass(frozen=True)
class MiniBatchPass:
    """One scan in mini-batches.

    Attributes:
        space: Where distances are measured.
        options: Rows of a batch, number of scans.
        C: The centers, shape (K, p).
        seen: Rows that each stands for, shape (K,).
        done: Scans in mini-batches before this one.
        passes: Scans made, this one included.
    """

    space: Space
    options: Options
    C: Array
    seen: Array
    done: int = 0
    passes: int = 1
    sample: float | None = None
    evaluation: None = None

    def start(self) -> Batches:
        """No rows."""
        return Batches(np.zeros(self.C.T.shape), np.zeros(len(self.C)))

    def step(self, state: Batches, block: Block) -> Batches:
        """Add a block, batch by batch."""
        size = self.options.batch_size or block.rows
        k = len(self.C)
        C, waiting = self._moved(state), 0
        sums, counts = np.zeros(self.C.T.shape), np.zeros(k, dtype=np.int64)
        for tile in self.space.tiles(block, k, most=size):
            tile.assign(Centers(C), sums, counts)
            waiting += tile.size
            if waiting >= size:
                self._take(state, C, sums, counts)
                C, waiting = self._moved(state), 0
        self._take(state, C, sums, counts)
        return state

    def _take(self, state: Batches, C: Array, sums: Array, counts: IntArray) -> None:
        state.sums += sums + counts * (C - self.C).T
        state.counts += counts
        sums[:], counts[:] = 0.0, 0

    def _moved(self, state: Batches) -> Array:
        n = np.maximum(self.seen + state.counts, 1.0)
        C: Array = self.C + (state.sums / n).T
        return unit(C) if self.space.cosine else C

    def merge(self, a: Batches, b: Batches) -> Batches:
        """Add two states."""
        return Batches(a.sums + b.sums, a.counts + b.counts)

    def finish(self, state: Batches, evaluation: object = None) -> MiniBatchPass | LloydPass:
        """The next scan; the last makes one step of Lloyd's, to sum up the clusters."""
        C, done = self._moved(state), self.done + 1
        if done < (self.options.max_iterations or 1):
            seen = self.seen + state.counts
            return replace(self, C=C, seen=seen, done=done, passes=self.passes + 1)
        options = replace(self.options, max_iterations=1)
        return LloydPass(self.space, options, C, passes=self.passes + 1)

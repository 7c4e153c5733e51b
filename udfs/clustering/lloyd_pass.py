"""A pass over all rows that makes one step of Lloyd's algorithm."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from mlpond.udfs.clustering.kmeans_fit import Fit, Iteration, Options
from mlpond.udfs.clustering.kmeans_start import logged, too_many
from mlpond.udfs.clustering.lloyd import State, add, is_exhausted, merge, moved, refilled, start
from mlpond.udfs.clustering.space import Centers, Space
from mlpond.udfs.design import Array, Block


@dataclass(frozen=True)
class LloydPass:
    """One step of Lloyd's on all rows.

    Attributes:
        space: Where distances are measured.
        options: When to stop.
        C: The centers, shape (K, p).
        log: The steps made.
        passes: Scans made, this one included.
        seeks: Whether rows far from their center are looked for, to fill empty clusters.
        is_last: Whether to end here, with the centers that are given.
    """

    space: Space
    options: Options
    C: Array
    log: tuple[Iteration, ...] = ()
    passes: int = 1
    seeks: bool = False
    is_last: bool = False
    sample: float | None = None
    evaluation: None = None

    def start(self) -> State:
        """No rows."""
        return start(*self.C.shape)

    def step(self, state: State, block: Block) -> State:
        """Add a block."""
        centers = Centers(self.C)
        for tile in self.space.tiles(block, len(self.C)):
            add(state, tile, centers, seeks=self.seeks)
        return state

    def merge(self, a: State, b: State) -> State:
        """Add two states."""
        return merge(a, b)

    def finish(self, state: State, evaluation: object = None) -> LloydPass | Fit:
        """The next step, or the fit."""
        rows, k = int(state.counts.sum()), len(self.C)
        if rows == 0:
            raise ValueError("kmeans: there are no rows to cluster.")
        if self.is_last:
            return self._fit(self.C, state, state.squared, self.log)
        if np.any(state.counts == 0):
            if is_exhausted(state, self.C):
                raise ValueError(too_many(k, int(np.sum(state.counts > 0))))
            if not self.seeks and len(self.log) < self.options.iterations:
                return replace(self, seeks=True, passes=self.passes + 1)
        log = (*self.log, logged(len(self.log), state.counts, state.squared, self.space))
        if self.seeks and len(log) < self.options.iterations:
            C = refilled(self.C, state)
            return replace(self, C=C, log=log, passes=self.passes + 1, seeks=False)
        before = float(state.squared.sum())
        C, squared = moved(self.C, state, self.space)
        after = float(squared.sum())
        if self.options.stops(before, after, rows) or len(log) >= self.options.iterations:
            return self._fit(C, state, squared, log)
        return replace(self, C=C, log=log, passes=self.passes + 1)

    def _fit(self, C: Array, state: State, squared: Array, log: tuple[Iteration, ...]) -> Fit:
        space, options = self.space, self.options
        order = np.arange(len(C))
        if options.kmeans_init_method != "CUSTOM":
            order = np.argsort(-state.counts, kind="stable")
        sizes, last = state.counts[order], logged(0, state.counts, squared, space)
        points = C[order]
        if space.cosine:
            # the length that the rows of a cluster have, so that its center is among them
            length = state.lengths[order] / np.maximum(sizes, 1)
            points = points * np.where(length > 0, length, 1.0)[:, None]
        before = float(state.squared.sum())
        converged = options.stops(before, float(squared.sum()), int(sizes.sum()))
        log = tuple(replace(i, sizes=i.sizes[order], radii=i.radii[order]) for i in log)
        return Fit(
            space.raw(points), C[order], sizes, last.radii[order], int(sizes.sum()),
            last.loss, log, converged, self.passes,
        )  # fmt: skip

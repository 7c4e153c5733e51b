"""k-means: where its passes begin.

The first pass needs only a sample, kept in memory, on which the starts are tried
(kmeans_start.py). If the sample is all rows, that is the fit already. Else passes over all rows
move the centers, once a pass (lloyd_pass.py) or after every mini-batch (mini_batch.py).

Throughout: p columns of the design, K clusters.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from mlpond.udfs.blas import one_thread
from mlpond.udfs.clustering.kmeans_fit import Fit, Options
from mlpond.udfs.clustering.kmeans_start import best_start, too_many
from mlpond.udfs.clustering.lloyd_pass import LloydPass
from mlpond.udfs.clustering.mini_batch import MiniBatchPass
from mlpond.udfs.clustering.space import Space
from mlpond.udfs.design import Array, Block, Layout
from mlpond.udfs.trainer import KeptBlocks

SAMPLE_ROWS = 20_000  # at least so many rows are looked for starts in
SAMPLE_ROWS_PER_CLUSTER = 1_000
SAMPLE_CELLS = 2**24  # numbers that the sample may hold: 128 MB


def kmeans(
    layout: Layout,
    mean: Array,
    sd: Array,
    rows: int,
    options: Options,
    given: Array | None = None,
) -> SamplePass | LloydPass | MiniBatchPass:
    """The first pass of a k-means fit.

    Args:
        layout: The columns.
        mean: Of the dense columns, shape (layout.dense,).
        sd: Their sample standard deviations, shape (layout.dense,).
        rows: Training rows.
        options: How to fit.
        given: The rows that CUSTOM starts from, in the columns of the design, shape (K, p).

    Raises:
        ValueError: there are fewer rows than clusters, or CUSTOM has not K rows to start from.
    """
    k = options.num_clusters
    if rows < k:
        raise ValueError(too_many(k, rows))
    space = Space.of(
        layout, mean, sd,
        standardize=options.standardize_features, cosine=options.distance_type == "COSINE",
    )  # fmt: skip
    if (options.kmeans_init_method == "CUSTOM") != (given is not None):
        raise ValueError(
            "kmeans: rows to start from are given if and only if the method is CUSTOM."
        )
    if given is not None and given.shape != (k, layout.width):
        raise ValueError(
            f"kmeans: {len(given)} rows are marked to start from, but num_clusters is {k}; "
            f"mark exactly {k} rows."
        )
    enough = max(SAMPLE_ROWS, SAMPLE_ROWS_PER_CLUSTER * k)
    enough = max(k, min(enough, SAMPLE_CELLS // max(layout.width, 1)))
    if given is not None and rows > enough:
        return following(space, options, space.enclosed(given), 0)
    share = None if rows <= enough else enough / rows
    return SamplePass(space, options, given, share)


def following(space: Space, options: Options, C: Array, passes: int) -> LloydPass | MiniBatchPass:
    """The first pass over all rows, from given centers."""
    if options.batch_size is not None:
        return MiniBatchPass(space, options, C, np.zeros(len(C)), passes=passes + 1)
    return LloydPass(space, options, C, passes=passes + 1)


@dataclass(frozen=True)
class SamplePass(KeptBlocks):
    """Keeps the blocks it is given and looks for the best start in them."""

    space: Space
    options: Options
    given: Array | None
    sample: float | None
    evaluation: None = None

    def finish(
        self, state: tuple[Block, ...], evaluation: object = None
    ) -> SamplePass | LloydPass | MiniBatchPass | Fit:
        """The first pass over all rows, the fit if these are all, or a greater sample."""
        rows = sum(block.rows for block in state)
        if self.sample is not None and rows < self.options.num_clusters:
            # samples are drawn by stretches of rows, of which a small share may hold none
            share = 4 * self.sample
            return replace(self, sample=share if share < 1 else None)
        tiles = [self.space.tile(block) for block in state if block.rows]
        is_all = self.sample is None
        given = None if self.given is None else self.space.enclosed(self.given)
        if not tiles:
            raise ValueError("kmeans: there are no rows to cluster.")
        with one_thread():
            C, log = best_start(tiles, self.space, self.options, given, is_all=is_all)
        if not is_all:
            return following(self.space, self.options, C, 1)
        # one more step, which at the end of Lloyd's changes nothing, sums up the clusters
        last = LloydPass(self.space, self.options, C, log=log, is_last=True)
        total = last.start()
        for block in state:
            total = last.merge(total, last.step(last.start(), block))
        fit = last.finish(total)
        assert isinstance(fit, Fit)
        return fit

"""Gaussian mixtures by EM: a pass over all rows makes one step.

A start makes short runs of EM on a sample in memory, from several clusterings, and takes those of
k-means and the likeliest to their end there; the best of all goes on over all rows. If the sample
is all rows, that is the fit already.

Throughout: p columns of the design, K components.
Source: Biernacki, Celeux & Govaert (2003), Comput. Stat. Data Anal. 41 (short runs of EM).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from mlpond.udfs.blas import one_thread
from mlpond.udfs.clustering.expectation import (
    CollapseError,
    Mixture,
    State,
    accumulate,
    add,
    maximised,
    merge,
    start,
)
from mlpond.udfs.clustering.kmeans_fit import Options as KMeansOptions
from mlpond.udfs.clustering.kmeans_start import best_start, lloyd, plus_plus
from mlpond.udfs.clustering.mixture_fit import MOST_ITERATIONS, Fit, Options, free_parameters
from mlpond.udfs.clustering.space import WIDE, DenseTile, Space
from mlpond.udfs.design import Array, Block, Layout
from mlpond.udfs.distance import squared_distances
from mlpond.udfs.trainer import KeptBlocks

SAMPLE_ROWS = 20_000  # at least so many rows are looked for starts in
SAMPLE_ROWS_PER_COMPONENT = 1_000
# Short runs of a start at least and, where rows are few, at most; and their steps.
SHORT_RUNS, MOST_SHORT_RUNS, SHORT_STEPS = 8, 30, 15
SHORT_RUN_ROWS = 200_000  # that all short runs together may go through in a step
SAMPLE_GAIN = 1e-5  # nats a row, below which the rest is done on all rows


def gaussian_mixture(
    layout: Layout, mean: Array, sd: Array, rows: int, options: Options
) -> SamplePass:
    """The first pass of the fit of a mixture.

    Args:
        layout: The columns.
        mean: Of the dense columns, shape (layout.dense,).
        sd: Their sample standard deviations, shape (layout.dense,).
        rows: Training rows.
        options: How to fit.

    Raises:
        ValueError: there are fewer rows than components, or more columns than can be held.
    """
    k = options.num_components
    if rows < k:
        raise ValueError(f"num_components is {k}, but there are {rows} rows; pass {rows} or fewer.")
    if layout.width > WIDE:
        raise ValueError(
            f"gaussian_mixture: the features make {layout.width} columns, of which covariances are "
            f"kept for {WIDE} at most; leave out columns with many categories."
        )
    space = Space.of(layout, mean, sd, standardize=options.standardize_features)
    enough = max(SAMPLE_ROWS, SAMPLE_ROWS_PER_COMPONENT * k)
    return SamplePass(space, options, None if rows <= enough else enough / rows)


@dataclass(frozen=True)
class SamplePass(KeptBlocks):
    """Keeps the blocks it is given and looks for the best start in them."""

    space: Space
    options: Options
    sample: float | None
    evaluation: None = None

    def finish(self, state: tuple[Block, ...], evaluation: object = None) -> MixturePass | Fit:
        """The first pass over all rows, or the fit if these are all."""
        tiles = [tile for block in state for tile in _kept(self.space, block)]
        if not tiles:
            raise ValueError("gaussian_mixture: there are no rows.")
        options, is_all = self.options, self.sample is None
        rng = np.random.default_rng(options.seed)
        found: list[MixturePass | Fit] = []
        with one_thread():
            for _ in range(options.num_init):
                found += [self._run(tiles, step) for step in self._short(tiles, rng, is_all)]
        best = max(found, key=self._reached)
        if isinstance(best, MixturePass):
            return MixturePass(self.space, options, best.mixture, passes=2)
        return best

    def _short(
        self, tiles: Sequence[DenseTile], rng: np.random.Generator, is_all: bool
    ) -> list[MixturePass | Fit]:
        """Make a few steps from each of several clusterings.

        Returns:
            What came of the clusters of k-means, and the likeliest of the others.
        """
        rows = sum(tile.size for tile in tiles)
        runs = min(MOST_SHORT_RUNS, max(SHORT_RUNS, SHORT_RUN_ROWS // rows))
        found: list[MixturePass | Fit] = []
        failure = CollapseError(0)
        for number in range(runs):
            C = _centers(tiles, self.space, self.options, number, rng, is_all)
            mixture = _of_clusters(tiles, self.options, C)
            first = MixturePass(self.space, self.options, mixture, is_all=is_all)
            try:
                found.append(self._run(tiles, first, SHORT_STEPS))
            except CollapseError as error:
                failure = error
        if not found:
            raise failure
        return [found[0], max(found[1:] or found, key=self._reached)]

    def _run(
        self, tiles: Sequence[DenseTile], step: MixturePass | Fit, most: int = MOST_ITERATIONS
    ) -> MixturePass | Fit:
        """Make steps over rows in memory, as many as it takes or `most` of them."""
        for _ in range(most):
            if isinstance(step, MixturePass) and not step.is_enough:
                step = step.over(tiles)
        return step

    def _reached(self, step: MixturePass | Fit) -> float:
        """The mean log-likelihood of a row, in the space."""
        unit = float(np.log(self.space.scale).sum())
        return step.log[-1] + (unit if isinstance(step, Fit) else 0.0)


@dataclass(frozen=True)
class MixturePass:
    """One step of EM.

    Attributes:
        space: Where the mixture lies.
        options: When to stop.
        mixture: The mixture that the rows are judged by.
        log: Mean log-likelihood of a row, in the space, of the mixtures so far.
        passes: Scans made, this one included.
        is_all: Whether the tiles of the sample are all rows; None in a pass over all rows.
    """

    space: Space
    options: Options
    mixture: Mixture
    log: tuple[float, ...] = ()
    passes: int = 1
    is_all: bool | None = None
    sample: float | None = None
    evaluation: None = None

    @property
    def is_enough(self) -> bool:
        """Whether a sample has served its purpose."""
        if self.is_all is not False or len(self.log) < 2:
            return False
        return self.log[-1] - self.log[-2] < SAMPLE_GAIN or len(self.log) >= self.options.iterations

    def start(self) -> State:
        """No rows."""
        return start(self.mixture)

    def step(self, state: State, block: Block) -> State:
        """Add a block."""
        whitening = self.mixture.whitening()
        # three arrays of the size of the tile are at work
        for tile in self.space.tiles(block, 2 * self.space.layout.width):
            assert isinstance(tile, DenseTile)
            add(state, tile, self.mixture, *whitening)
        return state

    def over(self, tiles: Sequence[DenseTile]) -> MixturePass | Fit:
        """Make the step over rows in memory."""
        state, whitening = self.start(), self.mixture.whitening()
        for tile in tiles:
            add(state, tile, self.mixture, *whitening)
        return self.finish(state)

    def merge(self, a: State, b: State) -> State:
        """Add two states."""
        return merge(a, b)

    def finish(self, state: State, evaluation: object = None) -> MixturePass | Fit:
        """The next step, or the fit."""
        if state.rows == 0:
            raise ValueError("gaussian_mixture: there are no rows.")
        options = self.options
        reached = state.log_likelihood / state.rows
        gain = reached - self.log[-1] if self.log else math.inf
        log = (*self.log, reached)
        converged = gain < options.least_gain(state.rows)
        if self.is_all is not False and (converged or len(log) >= options.iterations):
            return self._fit(state, log, converged)
        mixture = maximised(state, options.covariance_type, self.mixture.means, options.reg_covar)
        mixture.whitening()  # which raises where a component has collapsed
        return replace(self, mixture=mixture, log=log, passes=self.passes + 1)

    def _fit(self, state: State, log: tuple[float, ...], converged: bool) -> Fit:
        """The mixture that was judged: its likelihood is known."""
        mixture, space = self.mixture, self.space
        order = np.argsort(-mixture.weights, kind="stable")
        mixture = Mixture(
            mixture.kind, mixture.weights[order], mixture.means[order], mixture.covariances[order]
        )
        factor, half_log = mixture.whitening()
        scale, p = space.scale, space.layout.width
        unit = float(np.log(scale).sum())  # what a density loses from the space to the columns
        spread = mixture.covariances * scale**2
        if mixture.covariances.ndim == 3:
            spread = mixture.covariances * scale[:, None] * scale
        likelihood = state.log_likelihood - state.rows * unit
        free = free_parameters(mixture.kind, len(order), p)
        with np.errstate(divide="ignore"):
            constant = np.log(mixture.weights) + half_log - 0.5 * p * math.log(2 * math.pi) - unit
        return Fit(
            mixture.weights, space.raw(mixture.means), spread, factor, mixture.means, constant,
            likelihood, free, 2 * free - 2 * likelihood,
            math.log(state.rows) * free - 2 * likelihood, state.rows,
            tuple(mean - unit for mean in log), converged,
            1 if self.is_all else self.passes,
        )  # fmt: skip


def _kept(space: Space, block: Block) -> list[DenseTile]:
    tiles = []
    for tile in space.tiles(block, 2 * space.layout.width):
        assert isinstance(tile, DenseTile)
        tiles.append(DenseTile(tile.Zt.copy(), None))
    return tiles


def _centers(
    tiles: Sequence[DenseTile],
    space: Space,
    options: Options,
    number: int,
    rng: np.random.Generator,
    is_all: bool,
) -> Array:
    """Centers of clusters: the best there are, those of one start, or rows that lie apart.

    Raises:
        ValueError: there are fewer different rows than components.
    """
    k = options.num_components
    clusters = KMeansOptions(k, "KMEANS++", seed=int(rng.integers(2**31)))
    try:
        if number == 0:
            return best_start(tiles, space, clusters, None, is_all=is_all)[0]
    except ValueError as error:
        raise ValueError(str(error).replace("num_clusters", "num_components")) from error
    C = plus_plus(tiles, k, rng)
    return lloyd(tiles, space, clusters, C, is_all=is_all)[1] if number % 2 else C


def _of_clusters(tiles: Sequence[DenseTile], options: Options, C: Array) -> Mixture:
    """The mixture of the clusters around centers."""
    wide = C.shape
    shape = wide if options.covariance_type in ("DIAG", "SPHERICAL") else (*wide, wide[1])
    state = State(0, 0.0, np.zeros(len(C)), np.zeros(wide), np.zeros(shape))
    for tile in tiles:
        label = np.argmin(squared_distances(tile.Zt.T, C), axis=1)
        accumulate(state, tile, C, (label == np.arange(len(C))[:, None]).astype(float))
    return maximised(state, options.covariance_type, C, options.reg_covar)

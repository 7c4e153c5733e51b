"""What goes into the fit of k-means, and what comes out."""

from __future__ import annotations

import math
from dataclasses import dataclass

from mlpond.udfs.clustering.space import DISTANCES
from mlpond.udfs.design import Array, IntArray

METHODS = ("RANDOM", "KMEANS++", "CUSTOM")
LARGE = 200_000  # rows from which the last digits of the loss are not worth further scans
LARGE_PROGRESS = 1e-6
MOST_ITERATIONS = 300


@dataclass(frozen=True)
class Options:
    """How to fit; the names are those of the options of CREATE MODEL.

    Attributes:
        num_clusters: K.
        kmeans_init_method: RANDOM starts from K different rows, KMEANS++ from rows that lie apart,
            CUSTOM from rows that are given.
        distance_type: EUCLIDEAN or COSINE.
        standardize_features: Whether numeric columns are standardised.
        max_iterations: None for 300.
        early_stop: Whether min_rel_progress may end the fit.
        min_rel_progress: Stop once a step lowers the loss by a smaller share of it. None for 1e-6
            on 200,000 rows or more, and for no step at all below.
        num_init: How many starts are tried on a sample; the best goes on. None for 10 with RANDOM
            and 1 else.
        batch_size: Rows of a mini-batch, after each of which the centers move; None for all rows.
        seed: Of the random choices.
    """

    num_clusters: int
    kmeans_init_method: str = "RANDOM"
    distance_type: str = "EUCLIDEAN"
    standardize_features: bool = True
    max_iterations: int | None = None
    early_stop: bool = True
    min_rel_progress: float | None = None
    num_init: int | None = None
    batch_size: int | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        for name, choices in (("kmeans_init_method", METHODS), ("distance_type", DISTANCES)):
            if getattr(self, name) not in choices:
                raise ValueError(
                    f"Options: {name} is {getattr(self, name)!r}; pass one of {', '.join(choices)}."
                )
        for name in ("num_clusters", "max_iterations", "num_init", "batch_size"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise ValueError(f"Options: {name} is {value}; pass 1 or more.")

    @property
    def starts(self) -> int:
        """How many starts are tried."""
        if self.kmeans_init_method == "CUSTOM":
            return 1
        return self.num_init or (10 if self.kmeans_init_method == "RANDOM" else 1)

    @property
    def iterations(self) -> int:
        """How many steps are made at most."""
        return self.max_iterations or MOST_ITERATIONS

    def stops(self, before: float, after: float, rows: int) -> bool:
        """Whether the progress from one loss to the next is too small to go on."""
        least = self.min_rel_progress
        if least is None:
            least = LARGE_PROGRESS if rows >= LARGE else 0.0
        elif not self.early_stop:
            least = 0.0
        if not math.isfinite(before):
            return False
        # nothing but rounding is no progress
        return before - after <= max(least, 1e-14) * before


@dataclass(frozen=True)
class Iteration:
    """One step: the loss before it, and the clusters.

    Attributes:
        iteration: From 0.
        loss: Mean squared distance of the rows to their centers.
        sizes: Rows of each cluster, shape (K,).
        radii: Root mean squared distance of its rows to its center, shape (K,).
    """

    iteration: int
    loss: float
    sizes: IntArray
    radii: Array


@dataclass(frozen=True)
class Fit:
    """Fitted clusters, the largest first (CUSTOM: in the order given).

    Attributes:
        centroids: In the columns of the design, one-hot columns as shares, shape (K, p). Under the
            cosine distance only their direction (after standardising) counts; their length is the
            mean length of their rows.
        standardised: In the space where distances are measured, shape (K, p).
        sizes: Rows of each, shape (K,).
        radii: Root mean squared distance of its rows, shape (K,).
        rows: Training rows.
        loss: Mean squared distance of the rows to their centers; cosine: mean of 1 - cos.
        iterations: The training log; of the best start if all rows were in memory.
        converged: Whether the stopping rule was met before max_iterations.
        passes: Scans made.
    """

    centroids: Array
    standardised: Array
    sizes: IntArray
    radii: Array
    rows: int
    loss: float
    iterations: tuple[Iteration, ...]
    converged: bool
    passes: int

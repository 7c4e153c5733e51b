"""What goes into a principal component analysis, and what comes out.

Throughout: n rows, p columns z of the design, k components. A dense column is centred, and scaled
to its standard deviation if asked for; one-hot and sparse columns are left as they are, not even
centred, as BigQuery ML has it. So the matrix that is decomposed is

    C = Z'Z / (n - 1) = V diag(eigenvalues) V'

which is the covariance (correlation) matrix where all columns are dense.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from mlpond.udfs.design import Array, Layout
from mlpond.udfs.linear.fit import Moments, Scaling

SOLVERS = ("AUTO", "FULL", "RANDOMIZED")
FULL_COLUMNS = 1500  # columns up to which AUTO decomposes the whole matrix: 18 MB, some seconds


@dataclass(frozen=True)
class Options:
    """How to decompose; the names are those of the options of CREATE MODEL.

    Attributes:
        num_principal_components: How many components to keep.
        pca_explained_variance_ratio: Keep the fewest that explain at least this share. One of
            the two is given.
        scale_features: Whether dense columns are scaled to standard deviation 1.
        pca_solver: FULL decomposes C, RANDOMIZED only meets it in products; AUTO is FULL up to
            1,500 columns.
        seed: Of the random directions that RANDOMIZED starts from.
        gathers: Whether FULL takes standard deviations (and medians, of every so manieth row) from
            the rows it sees, because those it is given are only near. No value of a dense column
            may then be missing.
    """

    num_principal_components: int | None = None
    pca_explained_variance_ratio: float | None = None
    scale_features: bool = True
    pca_solver: str = "AUTO"
    seed: int = 0
    gathers: bool = False

    def __post_init__(self) -> None:
        k, share = self.num_principal_components, self.pca_explained_variance_ratio
        if (k is None) == (share is None):
            raise ValueError(
                "pca: pass exactly one of num_principal_components and "
                f"pca_explained_variance_ratio, not {'none' if k is None else 'both'}."
            )
        if k is not None and k < 1:
            raise ValueError(f"pca: num_principal_components is {k}; pass 1 or more.")
        if share is not None and not 0 < share < 1:
            raise ValueError(
                f"pca: pca_explained_variance_ratio is {share}; pass a share in (0, 1)."
            )
        if self.pca_solver not in SOLVERS:
            raise ValueError(
                f"pca: pca_solver is {self.pca_solver!r}; pass one of {', '.join(SOLVERS)}."
            )

    def is_full(self, columns: int) -> bool:
        """Whether the whole matrix of so many columns is decomposed.

        A share of the variance needs all eigenvalues, for nobody knows how many it takes.
        """
        if self.pca_solver == "AUTO":
            few = self.num_principal_components or columns
            return columns <= FULL_COLUMNS or 2 * few >= columns
        return self.pca_solver == "FULL"


@dataclass(frozen=True)
class PcaFit:
    """The components and what they explain.

    Attributes:
        components: Unit vectors over the scaled columns, shape (k, p); the entry of each that
            is largest in size is positive.
        eigenvalues: Variance along each component, not increasing, shape (k,).
        total_variance: Sum of all eigenvalues, those left out included.
        mean: Of the dense columns, subtracted before everything else, shape (dense,).
        scale: Of all columns, divided by afterwards, shape (p,).
        rows: Training rows.
        constant: Dense columns that do not vary.
        passes: Scans it took.
        converged: Whether RANDOMIZED came to rest; True for FULL.
        sd: Sample standard deviation of the dense columns, shape (dense,), where FULL knows it.
        median: Of the dense columns over some rows, shape (dense,), where FULL gathers it.
    """

    components: Array
    eigenvalues: Array
    total_variance: float
    mean: Array
    scale: Array
    rows: int
    constant: tuple[int, ...]
    passes: int
    converged: bool
    sd: Array | None = None
    median: Array | None = None

    @property
    def explained_variance_ratio(self) -> Array:
        """The share of the total variance along each component, shape (k,); nan of no variance."""
        total = self.total_variance if self.total_variance > 0 else math.nan
        return self.eigenvalues / total

    def transform(self, Z: Array) -> Array:
        """Principal components of rows of the raw, written-out design (n, p); shape (n, k)."""
        shifted = Z / self.scale
        shifted[:, : self.mean.size] -= self.mean / self.scale[: self.mean.size]
        return shifted @ self.components.T


def pca_scaling(layout: Layout, moments: Moments, options: Options) -> Scaling:
    """Centre always, scale if asked for."""
    scaling = Scaling.of(layout, moments, fit_intercept=True)
    return scaling if options.scale_features else Scaling(scaling.shift, np.ones(layout.width))


def spectrum(C: Array, options: Options) -> tuple[Array, Array]:
    """The largest eigenvalues (k,) and their vectors (k, p), as many as the options ask for."""
    values, vectors = np.linalg.eigh((C + C.T) / 2)
    values = np.maximum(values[::-1], 0.0)
    kept = options.num_principal_components
    if kept is None:
        share = np.cumsum(values) / max(float(values.sum()), 1e-300)
        wanted = options.pca_explained_variance_ratio or 1.0
        kept = int(np.searchsorted(share, wanted * (1 - 1e-12))) + 1
    kept = min(kept, values.size)
    return values[:kept], signed(vectors[:, ::-1][:, :kept].T)


def signed(vectors: Array) -> Array:
    """Each row (k, p) turned so that its largest entry in size is positive; of ties, the first."""
    size = np.abs(vectors)
    # entries equal but for rounding must not let the sign hang on it
    first = np.argmax(size >= size.max(axis=1, keepdims=True) * (1 - 1e-9), axis=1)
    sign = np.sign(vectors[np.arange(len(vectors)), first])
    return vectors * np.where(sign == 0.0, 1.0, sign)[:, None]


def check_request(layout: Layout, options: Options) -> None:
    """Raise unless there are columns enough, and a solver that can answer."""
    wanted, p = options.num_principal_components, layout.width
    if wanted is not None and wanted > p:
        raise ValueError(
            f"pca: num_principal_components is {wanted}, but there are {p} columns; pass 1 to {p}."
        )
    if wanted is None and not options.is_full(p):
        raise ValueError(
            "pca: pca_explained_variance_ratio needs all eigenvalues, which RANDOMIZED (taken from "
            f"{FULL_COLUMNS} columns on; there are {p}) does not compute; pass "
            "num_principal_components, or pca_solver = 'FULL'."
        )


def check_rows(n: int, total: float) -> None:
    """Raise unless the sums of a scan can be used."""
    if n < 2:
        raise ValueError(f"pca: there is {n} training row; variance needs at least 2.")
    if not np.isfinite(total):
        raise ValueError("pca: the sum of squares is not finite; a column holds NaN or infinity.")

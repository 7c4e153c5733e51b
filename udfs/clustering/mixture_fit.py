"""What goes into the fit of a Gaussian mixture, and what comes out."""

from __future__ import annotations

import math
from dataclasses import dataclass

from mlpond.udfs.design import Array

COVARIANCES = ("FULL", "TIED", "DIAG", "SPHERICAL")
TOLERANCE, LARGE_TOLERANCE = 1e-9, 1e-6  # nats a row; on few and on many rows
LARGE = 200_000  # rows
MOST_ITERATIONS = 500


@dataclass(frozen=True)
class Options:
    """How to fit; the names are those of the options of CREATE MODEL.

    Attributes:
        num_components: K.
        covariance_type: FULL gives each component its own covariance matrix, TIED one to all, DIAG
            a variance for each column and component, SPHERICAL one for each component.
        reg_covar: Added to every variance, in the square of the (standardised) unit.
        standardize_features: Whether numeric columns are standardised. Only SPHERICAL and
            reg_covar depend on it.
        tolerance: Stop once a step raises the mean log-likelihood by less, in nats. None for 1e-9,
            or 1e-6 on 200,000 rows or more.
        max_iterations: None for 500.
        num_init: How many starts are tried on a sample; the best goes on.
        seed: Of the random choices.
    """

    num_components: int
    covariance_type: str = "FULL"
    reg_covar: float = 1e-6
    standardize_features: bool = True
    tolerance: float | None = None
    max_iterations: int | None = None
    num_init: int = 1
    seed: int = 0

    def __post_init__(self) -> None:
        if self.covariance_type not in COVARIANCES:
            raise ValueError(
                f"Options: covariance_type is {self.covariance_type!r}; "
                f"pass one of {', '.join(COVARIANCES)}."
            )
        for name in ("num_components", "num_init", "max_iterations"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise ValueError(f"Options: {name} is {value}; pass 1 or more.")
        if not (math.isfinite(self.reg_covar) and self.reg_covar >= 0):
            raise ValueError(f"Options: reg_covar is {self.reg_covar}; pass 0 or more.")

    @property
    def iterations(self) -> int:
        """How many steps are made at most."""
        return self.max_iterations or MOST_ITERATIONS

    def least_gain(self, rows: int) -> float:
        """The gain below which a fit ends, in nats a row."""
        if self.tolerance is not None:
            return self.tolerance
        return LARGE_TOLERANCE if rows >= LARGE else TOLERANCE


@dataclass(frozen=True)
class Fit:
    """A fitted mixture, the component of greatest weight first.

    Attributes:
        weights: Shares of the components, shape (K,); they sum to 1.
        means: In the columns of the design, shape (K, p).
        covariances: In the columns of the design, shape (K, p, p); for DIAG and SPHERICAL the
            variances, shape (K, p).
        whitening: Of the space in which the fit was made: z - mean times this has the identity as
            its covariance, shape (K, p, p), or (K, p) for DIAG and SPHERICAL.
        space_means: Means there, shape (K, p).
        log_constant: Log of weight and normalising constant, in the columns of the design, (K,).
        log_likelihood: Of all training rows, in the units of the columns.
        parameters: Free parameters.
        aic: 2 parameters - 2 log_likelihood.
        bic: log(rows) parameters - 2 log_likelihood.
        rows: Training rows.
        log: Mean log-likelihood of a row after every step.
        converged: Whether the tolerance was met before max_iterations.
        passes: Scans made.
    """

    weights: Array
    means: Array
    covariances: Array
    whitening: Array
    space_means: Array
    log_constant: Array
    log_likelihood: float
    parameters: int
    aic: float
    bic: float
    rows: int
    log: tuple[float, ...]
    converged: bool
    passes: int


def free_parameters(kind: str, components: int, columns: int) -> int:
    """Means, shares and covariances that are free to choose."""
    triangle = columns * (columns + 1) // 2
    spread = {
        "FULL": components * triangle,
        "TIED": triangle,
        "DIAG": components * columns,
        "SPHERICAL": components,
    }[kind]
    return components * columns + components - 1 + spread

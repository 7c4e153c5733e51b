"""Families of generalized linear models: half the deviance of a row as a loss of its score.

Throughout: z the score, mu the mean, V(mu) the variance function; y the label, v the row weight,
phi the dispersion, so that var y = phi V(mu) / v; alpha that of the negative binomial.

    log-likelihood of a row = saturated(y, v, phi) - v D / (2 phi)
    loss = D / 2,   dloss/dz = -(y - mu) mu' / V,   expected curvature mu'² / V

With the expected curvature Newton's step is Fisher's, which is iteratively reweighted least
squares. D / 2 is never negative and is 0 where the mean hits the label.
Source: McCullagh & Nelder (1989), "Generalized Linear Models", chapters 2, 4, 6 and 8; Hilbe
(2011), "Negative Binomial Regression", chapter 8.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from mlpond.udfs.design import Array
from mlpond.udfs.linear.links import LINKS, SHARE_LINKS, Link, ShareLink
from mlpond.udfs.linear.negative_binomial import rising_sums
from mlpond.udfs.special import log_gamma

LOG_2PI = math.log(2.0 * math.pi)


@dataclass(frozen=True)
class Family:
    """A distribution of the label.

    Attributes:
        name: As the option `family` names it.
        links: Names of the links that it accepts, its default first.
        canonical: The link under which expected and observed curvature agree.
        variance: V(mu); the second argument is alpha.
        half_deviance: D / 2 of y and mu.
        saturated: Log-likelihood of a row whose mean is its label, of y, v, phi and alpha.
        estimates_dispersion: Whether phi is estimated, from Pearson's statistic; else it is 1.
        lowest: The smallest label, and whether it is one itself.
        mean_is_positive: Whether the mean must be above 0.
    """

    name: str
    links: tuple[str, ...]
    canonical: str
    variance: Callable[[Array, float], Array]
    half_deviance: Callable[[Array, Array, float], Array]
    saturated: Callable[[Array, Array, float, float], Array]
    estimates_dispersion: bool
    lowest: tuple[float, bool]
    mean_is_positive: bool = True


def _times_log(y: Array, ratio: Array) -> Array:
    """y log(ratio), 0 where y is 0."""
    return np.asarray(np.where(y > 0, y * np.log(np.where(y > 0, ratio, 1.0)), 0.0))


def _gamma_saturated(y: Array, v: Array, phi: float, _: float) -> Array:
    k = v / phi
    return np.asarray(k * np.log(k) - k - log_gamma(k) - np.log(y))


def _binomial_saturated(y: Array, v: Array, _phi: float, _: float) -> Array:
    """v trials, of which the share y succeeded."""
    own = v * (_times_log(y, y) + _times_log(1.0 - y, 1.0 - y))
    return np.asarray(
        own + log_gamma(v + 1.0) - log_gamma(v * y + 1.0) - log_gamma(v * (1.0 - y) + 1.0)
    )


def _negative_binomial_saturated(y: Array, v: Array, _: float, alpha: float) -> Array:
    if alpha == 0.0:
        return _poisson_saturated(y, v, 1.0, 0.0)
    return np.asarray(
        v
        * (
            rising_sums(y, alpha, derivatives=False)[0]
            + _times_log(y, y)
            - (y + 1.0 / alpha) * np.log1p(alpha * y)
            - log_gamma(y + 1.0)
        )
    )


def _poisson_saturated(y: Array, v: Array, _phi: float, _: float) -> Array:
    return np.asarray(v * (_times_log(y, y) - y - log_gamma(y + 1.0)))


FAMILIES: dict[str, Family] = {
    family.name: family
    for family in (
        Family(
            "gaussian", ("identity", "log", "inverse"), "identity",
            lambda mu, _: np.ones_like(mu),
            lambda y, mu, _: 0.5 * (y - mu) ** 2,
            lambda y, v, phi, _: -0.5 * (np.log(phi / v) + LOG_2PI),
            True, (-math.inf, False), False,
        ),
        Family(
            "poisson", ("log", "identity", "sqrt"), "log",
            lambda mu, _: mu,
            lambda y, mu, _: _times_log(y, y / mu) - (y - mu),
            _poisson_saturated, False, (0.0, True),
        ),
        Family(
            "negative_binomial", ("log", "identity", "sqrt"), "",
            lambda mu, alpha: mu * (1.0 + alpha * mu),
            lambda y, mu, alpha: _times_log(y, y / mu) - _excess(y, mu, alpha),
            _negative_binomial_saturated, False, (0.0, True),
        ),
        Family(
            "gamma", ("inverse", "log", "identity"), "inverse",
            lambda mu, _: mu * mu,
            lambda y, mu, _: (y - mu) / mu - np.log(y / mu),
            _gamma_saturated, True, (0.0, False),
        ),
        Family(
            "inverse_gaussian", ("inverse_squared", "log", "inverse", "identity"),
            "inverse_squared",
            lambda mu, _: mu**3,
            lambda y, mu, _: (y - mu) ** 2 / (2.0 * y * mu * mu),
            lambda y, v, phi, _: -0.5 * (np.log(phi * y**3 / v) + LOG_2PI),
            True, (0.0, False),
        ),
        Family(
            "binomial", ("logit", "probit", "cloglog", "loglog"), "logit",
            lambda mu, _: mu * (1.0 - mu),
            lambda y, mu, _: np.full_like(y, math.nan),  # from the tails of the link
            _binomial_saturated, False, (0.0, True),
        ),
    )
}  # fmt: skip


def _excess(y: Array, mu: Array, alpha: float) -> Array:
    """(y + 1/alpha) log((1 + alpha y) / (1 + alpha mu)); y - mu as alpha vanishes."""
    if alpha == 0.0:
        return y - mu
    return np.asarray((y + 1.0 / alpha) * np.log1p(alpha * (y - mu) / (1.0 + alpha * mu)))


@dataclass(frozen=True)
class Likelihood:
    """A family with its link: the loss of a generalized linear model.

    Attributes:
        family: The distribution.
        link: Score to mean.
        alpha: Of the negative binomial: var y = mu + alpha mu².
        curvature: Expected curvature where the fit starts.
    """

    family: Family
    link: Link | ShareLink
    alpha: float = 0.0
    curvature: float = 1.0
    model_type: str = "glm"
    reported: float = 2.0  # the mean deviance is reported

    @classmethod
    def of(cls, family: str, link: str | None = None, alpha: float = 0.0) -> Likelihood:
        """The family with one of its links; None for its default."""
        if family not in FAMILIES:
            raise ValueError(f"glm: family is {family!r}; pass one of {', '.join(FAMILIES)}.")
        chosen = FAMILIES[family]
        name = link or chosen.links[0]
        if name not in chosen.links:
            raise ValueError(
                f"glm: link is {link!r}; family {family!r} takes {', '.join(chosen.links)}."
            )
        return cls(chosen, SHARE_LINKS[name] if family == "binomial" else LINKS[name], alpha)

    @property
    def has_unit(self) -> bool:
        """Whether the dispersion is estimated."""
        return self.family.estimates_dispersion

    @property
    def is_newton(self) -> bool:
        """Whether the link is canonical."""
        return self.link.name == self.family.canonical

    def terms(self, z: Array, y: Array) -> tuple[Array, Array, Array]:
        """Half the deviance, its slope and expected curvature; infinite where mu is no mean."""
        with np.errstate(all="ignore"):
            if isinstance(self.link, ShareLink):
                up, down, rise, fall = self.link.tails(z)
                loss = _times_log(y, y) - np.where(y > 0, y * up, 0.0)
                rest = 1.0 - y
                loss += _times_log(rest, rest) - np.where(rest > 0, rest * down, 0.0)
                return loss, rest * fall - y * rise, rise * fall
            mu, slope = self.link.mean(z)
            loss = self.family.half_deviance(y, mu, self.alpha)
            rate = slope / self.family.variance(mu, self.alpha)
            rise, curvature = (mu - y) * rate, slope * rate
            fits = np.isfinite(loss) & np.isfinite(rise) & np.isfinite(curvature)
            if self.family.mean_is_positive:
                fits &= mu > 0
            if not fits.all():
                loss = np.where(fits, loss, math.inf)
                rise, curvature = np.where(fits, rise, 0.0), np.where(fits, curvature, 0.0)
        return loss, rise, curvature

    def measures(self, z: Array, y: Array) -> tuple[Array, Array]:
        """Half the deviance, and the squared Pearson residual (y - mu)² / V, of every row."""
        loss, slope, curvature = self.terms(z, y)
        with np.errstate(all="ignore"):
            pearson = slope * slope / curvature
        return loss, np.where(curvature > 0, pearson, 0.0)

    def start(self, label_mean: float, offset: float) -> float:
        """The score of the rows before anything is learnt, less the offset."""
        lowest = 0.1 if self.family.lowest[0] == 0.0 else -math.inf
        mean = max(label_mean, lowest) if label_mean <= 0 else label_mean
        if isinstance(self.link, ShareLink):
            mean = min(max(mean, 0.05), 0.95)
        elif self.link.name != "identity" and mean <= 0:
            mean = 1.0  # a gaussian label below 0 under a link that knows none
        return float(self.link.score(mean)) - offset

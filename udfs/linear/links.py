"""Links of generalized linear models: from the linear score to the mean.

Throughout: z = η the score, shape (n,); mu the mean, z = g(mu). A mean that its family does not
allow comes out as nan, which the losses turn into infinity.
Source: McCullagh & Nelder (1989), "Generalized Linear Models", sections 2.2.4 and 4.3.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any

import numpy as np

from mlpond.udfs.design import Array
from mlpond.udfs.special import erfcx

HIGHEST = 700.0  # exp of more is beyond a double's square root of its range, twice over


@dataclass(frozen=True)
class Link:
    """A link to a mean that may be any number, or any positive number.

    Attributes:
        name: As the option `link` names it.
        score: g(mu), of one mean or of an array.
        mean: Gives mu and dmu/dz, each of shape (n,).
    """

    name: str
    score: Callable[[Any], Any]
    mean: Callable[[Array], tuple[Array, Array]]


@dataclass(frozen=True)
class ShareLink:
    """A link to a mean between 0 and 1.

    Near the ends 1 - mu has no digits left, so both tails are computed for themselves.

    Attributes:
        name: As the option `link` names it.
        score: g(mu), of one mean.
        tails: Gives log mu, log(1 - mu), (dmu/dz) / mu and (dmu/dz) / (1 - mu), each (n,).
    """

    name: str
    score: Callable[[Any], Any]
    tails: Callable[[Array], tuple[Array, Array, Array, Array]]


def _identity(z: Array) -> tuple[Array, Array]:
    return z, np.ones_like(z)


def _exp(z: Array) -> tuple[Array, Array]:
    mu = np.exp(np.minimum(z, HIGHEST))
    return mu, mu


def _inverse(z: Array) -> tuple[Array, Array]:
    mu = 1.0 / z
    return mu, -mu * mu


def _inverse_squared(z: Array) -> tuple[Array, Array]:
    mu = 1.0 / np.sqrt(z)
    return mu, -0.5 * mu / z


def _square(z: Array) -> tuple[Array, Array]:
    # beyond 0 the square would rise again
    return np.where(z > 0, z * z, math.nan), 2.0 * z


def _logit(z: Array) -> tuple[Array, Array, Array, Array]:
    e = np.exp(-np.abs(z))
    q = 1.0 / (1.0 + e)
    log_q = -np.log1p(e)
    up = z >= 0
    mu, rest = np.where(up, q, e * q), np.where(up, e * q, q)
    return np.where(up, log_q, z + log_q), np.where(up, log_q - z, log_q), rest, mu


def _probit(z: Array) -> tuple[Array, Array, Array, Array]:
    a = np.abs(z)
    tail = erfcx(a / math.sqrt(2.0))  # Φ(-a) = exp(-a²/2) tail / 2
    log_tail = np.log(tail / 2.0) - a * a / 2.0
    below = np.exp(log_tail)
    log_rest = np.log1p(-below)
    hazard = math.sqrt(2.0 / math.pi) / tail  # φ(a) / Φ(-a)
    other = np.exp(-a * a / 2.0) / math.sqrt(2.0 * math.pi) / (1.0 - below)
    up = z >= 0
    return (
        np.where(up, log_rest, log_tail), np.where(up, log_tail, log_rest),
        np.where(up, other, hazard), np.where(up, hazard, other),
    )  # fmt: skip


def _cloglog(z: Array) -> tuple[Array, Array, Array, Array]:
    t = np.exp(np.clip(z, -HIGHEST, HIGHEST))  # 1 - mu = exp(-t)
    mu = -np.expm1(-t)
    # as t vanishes, mu = t; t / (exp(t) - 1) then is 1
    ratio = np.where(t < HIGHEST, t / np.expm1(np.minimum(t, HIGHEST)), 0.0)
    return np.log(mu), -t, ratio, t


def _loglog(z: Array) -> tuple[Array, Array, Array, Array]:
    log_rest, log_mean, up, down = _cloglog(-z)
    return log_mean, log_rest, down, up


LINKS: dict[str, Link] = {
    link.name: link
    for link in (
        Link("identity", lambda mu: mu, _identity),
        Link("log", np.log, _exp),
        Link("inverse", lambda mu: 1.0 / mu, _inverse),
        Link("inverse_squared", lambda mu: 1.0 / mu**2, _inverse_squared),
        Link("sqrt", np.sqrt, _square),
    )
}
SHARE_LINKS: dict[str, ShareLink] = {
    link.name: link
    for link in (
        ShareLink("logit", lambda mu: math.log(mu / (1.0 - mu)), _logit),
        ShareLink("probit", NormalDist().inv_cdf, _probit),
        ShareLink("cloglog", lambda mu: math.log(-math.log1p(-mu)), _cloglog),
        ShareLink("loglog", lambda mu: -math.log(-math.log(mu)), _loglog),
    )
}

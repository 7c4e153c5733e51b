"""Categories by what they say for an event: weight of evidence.

ML.WEIGHT_OF_EVIDENCE(x, label) is, for a label of two values of which the greater one is the event,

    ln((events of the category / all events) / (others of the category / all others))

A category without events, or without others, has `smoothing` added to both of its counts. One that
was not seen is no evidence, 0. It is cross-fitted; where the other folds have but one value of the
label, what they say is not known, NULL.

Source: Siddiqi (2006), Credit Risk Scorecards.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import partial

import numpy as np

from mlpond.engine import Engine
from mlpond.models.preprocessing.cross_fitting import (
    FOLDS,
    LABEL,
    Array,
    Cells,
    cross_fit,
    encoded,
    encoded_from_other_folds,
    fold_of,
    labelled,
)
from mlpond.models.preprocessing.function import (
    CATEGORY,
    Call,
    Function,
    Learnt,
    Setting,
    is_positive,
)


@dataclass(frozen=True)
class Counts:
    """Rows with the event, and others, by category."""

    events: Array
    others: Array

    def __add__(self, other: Counts) -> Counts:
        return Counts(self.events + other.events, self.others + other.others)

    def of_all(self) -> Counts:
        """All categories together."""
        return Counts(self.events.sum(), self.others.sum())


def shares(own: Counts, every: Counts, smoothing: float) -> tuple[Array, Array]:
    """The shares of all events, and of all others, that categories have."""
    added = np.where((own.events > 0) & (own.others > 0), 0.0, smoothing)
    return (own.events + added) / every.events, (own.others + added) / every.others


def weigh(own: Counts, every: Counts, smoothing: float) -> Array:
    """The weights of evidence of categories, of their counts and those of all rows."""
    if not every.events or not every.others:
        return np.full(own.events.shape, np.nan)
    events, others = shares(own, every, smoothing)
    return np.where(own.events + own.others > 0, np.log(events / others), 0.0)


def _fit(engine: Engine, source: str, call: Call) -> Learnt:
    fold, smoothing = fold_of(engine, source, call), call["smoothing"]
    found = engine.rows(
        f"select category, fold, y, count(*) from {labelled(source, call, fold)} "
        "group by category, fold, y"
    )
    values = sorted({y for _, _, y, _ in found})
    if len(values) != 2:
        raise call.refuse(f"the label has {len(values)} values; it must have two.")
    cells = Cells.of(found, call["folds"])
    events, others = (cells.spread(n * (y == v) for _, _, y, n in found) for v in values[::-1])
    of_folds = [Counts(*known) for known in zip(events, others, strict=True)]
    seen = Counts(events.sum(axis=0), others.sum(axis=0))
    p, q = shares(seen, seen.of_all(), smoothing)
    gains = ((p - q) * np.log(p / q))[seen.events + seen.others > 0]
    return Learnt(
        {"information_value": math.fsum(gains)},
        cross_fit(cells, fold, [of_folds], partial(weigh, smoothing=smoothing)),
    )


FUNCTIONS = (
    Function(
        "WEIGHT_OF_EVIDENCE",
        encoded,
        arguments=(CATEGORY, LABEL),
        settings=(Setting("smoothing", 0.5, is_positive, "a number above 0"), FOLDS),
        fit=_fit,
        training_sql=encoded_from_other_folds,
    ),
)

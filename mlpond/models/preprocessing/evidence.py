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

from mlpond.engine import Engine
from mlpond.models.preprocessing.cross_fitting import (
    FOLDS,
    LABEL,
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
    """Rows with the event, and others."""

    events: int = 0
    others: int = 0

    def __add__(self, other: Counts) -> Counts:
        return Counts(self.events + other.events, self.others + other.others)


def shares(own: Counts, every: Counts, smoothing: float) -> tuple[float, float]:
    """The shares of all events, and of all others, that a category has."""
    added = 0.0 if own.events and own.others else smoothing
    return (own.events + added) / every.events, (own.others + added) / every.others


def weigh(own: Counts, every: Counts, smoothing: float) -> float | None:
    """The weight of evidence of a category, of its counts and those of all rows."""
    if not every.events or not every.others:
        return None
    if own == Counts():
        return 0.0
    events, others = shares(own, every, smoothing)
    return math.log(events / others)


def _fit(engine: Engine, source: str, call: Call) -> Learnt:
    fold, smoothing = fold_of(engine, source, call), call["smoothing"]
    found = engine.rows(
        f"select category, fold, y, count(*) from {labelled(source, call, fold)} "
        "group by category, fold, y"
    )
    values = sorted({y for _, _, y, _ in found})
    if len(values) != 2:
        raise call.refuse(f"the label has {len(values)} values; it must have two.")
    cells = dict[tuple[str | None, int], Counts]()
    totals = dict[str | None, Counts]()
    for category, of_fold, y, n in found:
        counts = Counts(events=n) if y == values[1] else Counts(others=n)
        cells[category, of_fold] = cells.get((category, of_fold), Counts()) + counts
        totals[category] = totals.get(category, Counts()) + counts
    every = sum(totals.values(), Counts())
    of_each = [shares(own, every, smoothing) for own in totals.values()]
    return Learnt(
        {"information_value": math.fsum((p - q) * math.log(p / q) for p, q in of_each)},
        cross_fit(call, fold, [cells], Counts(), partial(weigh, smoothing=smoothing)),
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

"""Categories by the mean of the label: target encoding.

ML.TARGET_ENCODER(x, label) gives the mean of the label among the rows of x, drawn towards the mean
of all:

    encoding = (sum of the category + m mean of all) / (n of the category + m)     smoothing m
    encoding = w mean of the category + (1 - w) mean of all                        'auto'
    w = n V / (n V + v)    V variance of all, v of the category (both over n)

It is cross-fitted. A category that was not seen has the mean of all.

A label that is a number is averaged; of BOOLEAN or text with two values the share of the greater
one is the encoding; of more values there is one for each, in a STRUCT. scikit-learn counts whole
numbers as classes; cast them to VARCHAR for the same.

Sources: Micci-Barreca (2001), A preprocessing scheme for high-cardinality categorical attributes,
    SIGKDD Explorations 3; scikit-learn 1.9, TargetEncoder.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from typing import Any

from mlpond.engine import Engine
from mlpond.models.features import is_number
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
    Entry,
    Function,
    Learnt,
    Setting,
    is_positive,
)
from mlpond.models.preprocessing.lookup import text_of
from mlpond.sql.templates.quoting import string


@dataclass(frozen=True)
class Sums:
    """Count, mean and sum of squares around it; sums of disjoint rows can be merged."""

    n: int = 0
    mean: float = 0.0
    squares: float = 0.0

    def __add__(self, other: Sums) -> Sums:
        n = self.n + other.n
        if not self.n or not other.n:
            return other if other.n else self
        step = other.mean - self.mean
        mean = self.mean + step * (other.n / n)
        return Sums(n, mean, self.squares + other.squares + step * step * (self.n * other.n / n))


Cells = dict[tuple[str | None, int], Sums]  # by category and fold


def encode(own: Sums, every: Sums, smoothing: float | str) -> float | None:
    """The encoding of a category of which ``own`` is known, where ``every`` is known of all."""
    if not every.n:
        return None
    if not own.n:
        return every.mean
    if smoothing == "auto":
        between = every.squares / every.n * own.n
        total = between + own.squares / own.n
        weight = between / total if total > 0 else 0.0
        return weight * own.mean + (1.0 - weight) * every.mean
    return (own.n * own.mean + float(smoothing) * every.mean) / (own.n + float(smoothing))


def _fit(engine: Engine, source: str, call: Call) -> Learnt:
    fold = fold_of(engine, source, call)
    rows = labelled(source, call, fold)
    classes: list[Any] = []
    if is_number(call.types[1]):
        found = engine.rows(
            f"select category, fold, count(y), avg(y::double), var_pop(y::double) from {rows} "
            "group by category, fold"
        )
        if not all(math.isfinite(row[3]) for row in found):
            raise call.refuse("the label holds NaN or infinity; leave those rows out.")
        targets = [{(c, f): Sums(n, mean, v * n) for c, f, n, mean, v in found}]
    else:
        found = engine.rows(
            f"select category, fold, y, count(*) from {rows} group by category, fold, y"
        )
        classes = sorted({row[2] for row in found})
        if len(classes) < 2:
            raise call.refuse(f"the label has {len(classes)} values; it needs two or more.")
        if len(classes) > 2:
            _check_classes(call, classes)
        targets = [_shares(found, y) for y in (classes if len(classes) > 2 else classes[1:])]
    entries = cross_fit(call, fold, targets, Sums(), partial(encode, smoothing=call["smoothing"]))
    if len(classes) > 2:
        entries += tuple(Entry("class", i, text_of(value)) for i, value in enumerate(classes))
    return Learnt({}, entries)


def _check_classes(call: Call, classes: list[Any]) -> None:
    """Refuse classes after which the fields of a STRUCT cannot be named."""
    names = [text_of(value).lower() for value in classes]
    same = [text_of(value) for value in classes if names.count(text_of(value).lower()) > 1]
    if "" in names or same:
        found = f"holds {' and '.join(map(string, same))}" if same else "holds the empty text"
        raise call.refuse(
            f"the label {found}; its classes name the fields of a STRUCT, which must differ in "
            "more than their case and not be empty. Rename them."
        )


def _shares(rows: Iterable[tuple[Any, ...]], value: Any) -> Cells:
    """Sums of the indicator that the label is a value."""
    counts: dict[tuple[str | None, int], list[int]] = {}
    for category, fold, y, n in rows:
        cell = counts.setdefault((category, fold), [0, 0])
        cell[0] += n
        cell[1] += n if y == value else 0
    return {key: Sums(n, k / n, k * (n - k) / n) for key, (n, k) in counts.items()}


FUNCTIONS = (
    Function(
        "TARGET_ENCODER",
        encoded,
        arguments=(CATEGORY, LABEL),
        settings=(
            Setting(
                "smoothing", "auto", lambda v: v == "auto" or is_positive(v, or_zero=True),
                "'auto' or a number of at least 0",
            ),
            FOLDS,
        ),
        fit=_fit,
        training_sql=encoded_from_other_folds,
    ),
)  # fmt: skip

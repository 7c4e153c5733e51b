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
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from mlpond.engine import Engine
from mlpond.models.features import is_number
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
    """Counts, means and sums of squares around them, by category; those of disjoint rows merge."""

    n: Array
    mean: Array
    squares: Array

    def __add__(self, other: Sums) -> Sums:
        n = self.n + other.n
        share = other.n / np.maximum(n, 1.0)
        step = other.mean - self.mean
        squares = self.squares + other.squares + step * step * self.n * share
        return Sums(n, self.mean + step * share, squares)

    def of_all(self) -> Sums:
        """All categories together."""
        n = self.n.sum()
        mean = (self.n * self.mean).sum() / max(n, 1.0)
        squares = self.squares.sum() + (self.n * (self.mean - mean) ** 2).sum()
        return Sums(n, mean, squares)


def encode(own: Sums, every: Sums, smoothing: float | str) -> Array:
    """The encodings of categories of which ``own`` is known, where ``every`` is known of all."""
    if not every.n:
        return np.full(own.n.shape, np.nan)
    n = np.maximum(own.n, 1.0)
    if smoothing == "auto":
        between = every.squares / every.n * n
        total = between + own.squares / n
        weight = np.divide(between, total, out=np.zeros_like(total), where=total > 0)
        mean = weight * own.mean + (1.0 - weight) * every.mean
    else:
        mean = (n * own.mean + float(smoothing) * every.mean) / (n + float(smoothing))
    return np.where(own.n > 0, mean, every.mean)


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
        cells = Cells.of(found, call["folds"])
        n, mean = (cells.spread(row[k] for row in found) for k in (2, 3))
        squares = cells.spread(row[2] * row[4] for row in found)
        targets = [[Sums(*known) for known in zip(n, mean, squares, strict=True)]]
    else:
        found = engine.rows(
            f"select category, fold, y, count(*) from {rows} group by category, fold, y"
        )
        classes = sorted({row[2] for row in found})
        if len(classes) < 2:
            raise call.refuse(f"the label has {len(classes)} values; it needs two or more.")
        if len(classes) > 2:
            _check_classes(call, classes)
        cells = Cells.of(found, call["folds"])
        n = cells.spread(row[3] for row in found)
        told = classes if len(classes) > 2 else classes[1:]
        targets = [
            _shares(n, cells.spread(row[3] * (row[2] == value) for row in found)) for value in told
        ]
    entries = cross_fit(cells, fold, targets, partial(encode, smoothing=call["smoothing"]))
    if len(classes) > 2:
        entries += tuple(Entry("class", i, text_of(value)) for i, value in enumerate(classes))
    return Learnt({}, entries)


def _shares(n: Array, k: Array) -> list[Sums]:
    """Sums of the indicator that the label is a value, which it is k times of n, by fold."""
    share = k / np.maximum(n, 1.0)
    return [Sums(*known) for known in zip(n, share, k * (1.0 - share), strict=True)]


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

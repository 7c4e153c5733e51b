"""Numbers of categories that rest on the label: cross-fitted, so that no row sees its own label.

A number that has seen a row's own label gives it away. The rows that the model trains on are
therefore encoded from the other folds: a row's fold is a hash of its columns other than the label,
and its number rests on the labels of the other folds alone, those of all categories included. Every
other row gets the number from all training rows. NULL is a category of its own.

What is known of the categories in a fold, one place of an array each, can be added to what is known
in another fold. Stored are the number of each category from all folds, under encoding_<i>, and
without each of them, under encoding_<i>_without_fold_<f>, where i counts what is told of the label.

Source: Micci-Barreca (2001), A preprocessing scheme for high-cardinality categorical attributes,
    SIGKDD Explorations 3; scikit-learn 1.9, TargetEncoder.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import reduce
from operator import add
from typing import Any, Protocol, Self, TypeVar

import numpy as np
from numpy.typing import NDArray

from mlpond.engine import Engine
from mlpond.models.preprocessing.function import (
    NUMBER,
    Argument,
    Call,
    Entry,
    Learnt,
    Setting,
    at_least,
    number_categories,
)
from mlpond.models.preprocessing.lookup import category_of, code_of, looked_up
from mlpond.sql.dialect.tokens import tokenize
from mlpond.sql.templates.quoting import double, string

LABEL = Argument(
    "label", lambda kind: kind.id not in ("list", "array", "struct", "map"), "a simple type"
)
FOLDS = Setting("folds", 5, *at_least(2, 100))


Array = NDArray[np.float64]


class Known(Protocol):
    """What is known of the label in the rows of each category; that of other rows can be added."""

    def __add__(self, other: Self, /) -> Self: ...

    def of_all(self) -> Self:
        """What is known of the rows of all categories together."""


K = TypeVar("K", bound=Known)


@dataclass(frozen=True)
class Cells:
    """The places of what a query counted: categories, then NULL and any other, by fold."""

    names: tuple[str, ...]
    folds: int
    at: tuple[NDArray[np.int64], NDArray[np.int64]]  # fold and category of each row of the query

    @classmethod
    def of(cls, rows: Sequence[tuple[Any, ...]], folds: int) -> Cells:
        """The places of rows (category, fold, …)."""
        names = sorted({row[0] for row in rows if row[0] is not None})
        place: dict[str | None, int] = {name: i for i, name in enumerate([*names, None])}
        of_fold = np.array([row[1] for row in rows], dtype=np.int64)
        of_category = np.array([place[row[0]] for row in rows], dtype=np.int64)
        return cls(tuple(names), folds, (of_fold, of_category))

    def spread(self, values: Iterable[float]) -> Array:
        """Sum values of the rows by fold and category, shape (folds, categories + 2)."""
        sums = np.zeros((self.folds, len(self.names) + 2))
        np.add.at(sums, self.at, np.fromiter(values, np.float64, self.at[0].size))
        return sums


def labelled(source: str, call: Call, fold: str) -> str:
    """The rows that have a label: category, fold and y."""
    # Python has no dates before Christ, no nanoseconds, no infinite times
    label = call.arguments[1] if NUMBER.accepts(call.types[1]) else category_of(call, 1)
    return (  # the fold may be the place among all rows
        f"(from (select {category_of(call)} as category, {fold} as fold, {label} as y "
        f"from {source}) where y is not null)"
    )


def columns_beside(columns: tuple[str, ...], label: str) -> tuple[str, ...]:
    """Those of the columns, which are quoted, that the label does not read."""
    read = {token.text.replace('""', '"').lower() for token in tokenize(label)}
    return tuple(c for c in columns if c[1:-1].replace('""', '"').lower() not in read)


def fold_of(engine: Engine, source: str, call: Call) -> str:
    """SQL of a row's fold: a hash of its other columns, or its place where they are too alike."""
    others = columns_beside(call.columns, call.arguments[1])
    if others:
        row = f"hash(hash({', '.join(others)}))"  # of the hash: its low bits are mixed once more
        n, distinct = engine.row(f"select count(*), approx_count_distinct({row}) from {source}")
        if 2 * distinct > n:
            return f"({row} % {call['folds']})::integer"
    return f"(hash(row_number() over ()) % {call['folds']})::integer"


def cross_fit(
    cells: Cells,
    fold: str,
    targets: Sequence[Sequence[K]],
    encode: Callable[[K, K], Array],
) -> tuple[Entry, ...]:
    """Encode each category from all folds, and without each of them.

    Args:
        cells: The categories.
        fold: SQL of a row's fold.
        targets: For each number that a category is to get, what is known of the label in each fold.
        encode: Gives the numbers of the categories, NaN if there is none, of what is known of their
            rows and of all rows.
    """
    entries = [Entry("fold", None, fold), *number_categories(list(cells.names))]
    for i, of_folds in enumerate(targets):
        for without in (None, *range(cells.folds)):
            own = reduce(add, (known for f, known in enumerate(of_folds) if f != without))
            numbers = encode(own, own.of_all())
            key = f"encoding_{i}" if without is None else f"encoding_{i}_without_fold_{without}"
            entries += [
                Entry(key, at, name, None if math.isnan(number) else number)
                for at, (name, number) in enumerate(
                    zip((*cells.names, None, None), numbers.tolist(), strict=True), 1
                )
            ]
    return tuple(entries)


def encoded(call: Call, learnt: Learnt) -> str:
    """SQL of the encoding from all training rows."""
    names = [text for _, text in learnt.categories()]
    return _for_each_class(
        learnt, lambda target: looked_up(call, names, _values(learnt, f"encoding_{target}"))
    )


def encoded_from_other_folds(call: Call, learnt: Learnt) -> str:
    """SQL of the encoding from the training rows of the other folds."""
    code = code_of(call, [text for _, text in learnt.categories()])

    def encoding(target: int) -> str:
        folds = ", ".join(
            f"[{', '.join(_values(learnt, f'encoding_{target}_without_fold_{f}'))}]"
            for f in range(call["folds"])
        )
        return f"([{folds}][{learnt.text('fold')} + 1][{code}])"

    return _for_each_class(learnt, encoding)


def _for_each_class(learnt: Learnt, encoding: Callable[[int], str]) -> str:
    classes = learnt.categories("class")
    if not classes:
        return encoding(0)
    return "{" + ", ".join(f"{string(name)}: {encoding(i)}" for i, name in classes) + "}"


def _values(learnt: Learnt, key: str) -> list[str]:
    return [
        "NULL::double" if entry.number is None else double(entry.number)
        for entry in learnt.listed(key)
    ]

"""Categories by what they tell of the label: target encoding and weight of evidence.

ML.TARGET_ENCODER(x, label) gives the mean of the label among the rows of x, drawn towards the mean
of all:

    encoding = (sum of the category + m mean of all) / (n of the category + m)     smoothing m
    encoding = w mean of the category + (1 - w) mean of all                        'auto'
    w = n V / (n V + v)    V variance of all, v of the category (both over n)

An encoding that has seen a row's own label gives it away. The rows that the model trains on are
therefore encoded from the other folds: a row's fold is a hash of its columns other than the label,
and its encoding rests on the labels of the other folds alone, their mean of all included. Every
other row gets the encoding from all training rows. NULL is a category of its own; one not seen has
the mean of all.

A label that is a number is averaged; of BOOLEAN or text with two values the share of the greater
one is the encoding; of more values there is one for each, in a STRUCT. scikit-learn counts whole
numbers as classes; cast them to VARCHAR for the same.

ML.WEIGHT_OF_EVIDENCE(x, label) is, for a label of two values of which the greater one is the event,

    ln((events of the category / all events) / (others of the category / all others))

A category without events, or without others, has `smoothing` added to both of its counts.

Sources: Micci-Barreca (2001), A preprocessing scheme for high-cardinality categorical attributes,
    SIGKDD Explorations 3; scikit-learn 1.9, TargetEncoder; Siddiqi (2006), Credit Risk Scorecards.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from mlpond.engine import Engine
from mlpond.models.features import is_number
from mlpond.models.preprocessing.function import (
    CATEGORY,
    Argument,
    Call,
    Entry,
    Found,
    Function,
    Learnt,
    Setting,
    Tally,
    at_least,
    is_positive,
    number_categories,
)
from mlpond.models.preprocessing.lookup import code_of, looked_up, text_of
from mlpond.sql.dialect.tokens import tokenize
from mlpond.sql.templates.quoting import double, string

LABEL = Argument("label", lambda kind: kind.id not in ("list", "array", "struct", "map"), "simple")


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


Cells = dict[tuple[Any, int], Sums]  # by category and fold


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


def _fit_target(engine: Engine, source: str, call: Call) -> Learnt:
    fold = _fold(engine, source, call)
    rows = (
        f"select {call.x}::varchar as category, {fold} as fold, {call.arguments[1]} as y "
        f"from {source}"
    )
    classes: list[Any] = []
    if is_number(call.types[1]):
        found = engine.rows(
            f"select category, fold, count(y), avg(y::double), var_pop(y::double) from ({rows}) "
            "where y is not null group by category, fold"
        )
        if not all(math.isfinite(row[3]) for row in found):
            raise call.refuse("the label holds NaN or infinity; leave those rows out.")
        targets = [{(c, f): Sums(n, mean, v * n) for c, f, n, mean, v in found}]
    else:
        found = engine.rows(
            f"select category, fold, y, count(*) from ({rows}) where y is not null "
            "group by category, fold, y"
        )
        classes = sorted({row[2] for row in found})
        if len(classes) < 2:
            raise call.refuse(f"the label has {len(classes)} values; it needs two or more.")
        targets = [_shares(found, y) for y in (classes if len(classes) > 2 else classes[1:])]
    names = sorted({c for c, _ in targets[0] if c is not None})
    entries = [Entry("fold", None, fold), *number_categories(names)]
    if len(classes) > 2:
        entries += [Entry("class", i, text_of(value)) for i, value in enumerate(classes)]
    for i, cells in enumerate(targets):
        entries += _encodings(f"encoding_{i}", call, cells, names, -1)
        for f in range(call["folds"]):
            entries += _encodings(f"encoding_{i}_without_fold_{f}", call, cells, names, f)
    return Learnt({}, tuple(entries))


def _shares(rows: Iterable[tuple[Any, ...]], value: Any) -> Cells:
    """Sums of the indicator that the label is a value."""
    counts: dict[tuple[Any, int], list[int]] = {}
    for category, fold, y, n in rows:
        cell = counts.setdefault((category, fold), [0, 0])
        cell[0] += n
        cell[1] += n if y == value else 0
    return {key: Sums(n, k / n, k * (n - k) / n) for key, (n, k) in counts.items()}


def _encodings(
    key: str, call: Call, cells: Cells, names: Sequence[str], without: int
) -> list[Entry]:
    """Encodings of the known categories, of NULL, and of any other, leaving a fold out."""
    every, own = Sums(), dict.fromkeys((*names, None), Sums())
    for (category, fold), sums in cells.items():
        if fold != without:
            every += sums
            own[category] += sums
    numbers = [encode(sums, every, call["smoothing"]) for sums in (*own.values(), Sums())]
    return [
        Entry(key, i, name, number)
        for i, (name, number) in enumerate(zip((*own, None), numbers, strict=True), start=1)
    ]


def _fold(engine: Engine, source: str, call: Call) -> str:
    """SQL of a row's fold: a hash of its other columns, or its place where they are too alike."""
    label = {token.text.replace('""', '"').lower() for token in tokenize(call.arguments[1])}
    others = [c for c in call.columns if c[1:-1].replace('""', '"').lower() not in label]
    if others:
        row = f"hash(hash({', '.join(others)}))"  # of the hash: its low bits are mixed once more
        n, distinct = engine.row(f"select count(*), approx_count_distinct({row}) from {source}")
        if 2 * distinct > n:
            return f"({row} % {call['folds']})::integer"
    return f"(hash(row_number() over ()) % {call['folds']})::integer"


def _target_encoder(call: Call, learnt: Learnt) -> str:
    names = [text for _, text in learnt.categories()]
    return _for_each_class(
        learnt, lambda target: looked_up(call.x, names, _values(learnt, f"encoding_{target}"))
    )


def _cross_fitted(call: Call, learnt: Learnt) -> str:
    code = code_of(call.x, [text for _, text in learnt.categories()])

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


def _tally_labels(call: Call) -> Tally:
    return Tally((f"{call.x}::varchar", call.arguments[1]), {"n": "count(*)"})


def _learn_evidence(call: Call, found: Found) -> Learnt:
    counts: dict[str | None, dict[Any, int]] = {}
    for (category, y), row in found.groups:
        if y is not None:
            counts.setdefault(category, {})[y] = row["n"]
    classes = sorted({y for by_label in counts.values() for y in by_label})
    if len(classes) != 2:
        raise call.refuse(f"the label has {len(classes)} values; it must have two.")
    others, events = (sum(c.get(y, 0) for c in counts.values()) for y in classes)
    names = sorted(category for category in counts if category is not None)
    evidence, value = [], 0.0
    for category in (*names, None):
        b, a = (counts.get(category, {}).get(y, 0) for y in classes)
        if category is None and a + b == 0:
            evidence.append(0.0)  # NULL was never seen
            break
        if a == 0 or b == 0:
            a, b = a + call["smoothing"], b + call["smoothing"]
        evidence.append(math.log((a / events) / (b / others)))
        value += (a / events - b / others) * evidence[-1]
    return Learnt(
        {"information_value": value, "null": evidence.pop()},
        tuple(
            Entry("category", i, name, weight)
            for i, (name, weight) in enumerate(zip(names, evidence, strict=True), start=1)
        ),
    )


def _weight_of_evidence(call: Call, learnt: Learnt) -> str:
    names = [text for _, text in learnt.categories()]
    # a category that was not seen is no evidence
    values = [*_values(learnt, "category"), double(learnt.numbers["null"] or 0.0), double(0.0)]
    return looked_up(call.x, names, values)


FUNCTIONS = (
    Function(
        "TARGET_ENCODER",
        _target_encoder,
        arguments=(CATEGORY, LABEL),
        settings=(
            Setting(
                "smoothing", "auto", lambda v: v == "auto" or is_positive(v, or_zero=True),
                "'auto' or a number of at least 0",
            ),
            Setting("folds", 5, *at_least(2, 100)),
        ),
        fit=_fit_target,
        training_sql=_cross_fitted,
    ),
    Function(
        "WEIGHT_OF_EVIDENCE",
        _weight_of_evidence,
        arguments=(CATEGORY, LABEL),
        settings=(Setting("smoothing", 0.5, is_positive, "a number above 0"),),
        tally=_tally_labels,
        learn=_learn_evidence,
    ),
)  # fmt: skip

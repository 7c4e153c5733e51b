"""Learning naive Bayes in SQL: one aggregate over the rows gives every parameter.

Throughout: classes k, n_k rows in class k, alpha the smoothing, categories c of a feature.

    gaussian      ln p(x | k) = -ln(2 pi v) / 2 - (x - m)² / (2 v), of the values of class k that
                  are known; v has var_smoothing times the largest variance of any column added
    bernoulli     p(x > 0 | k) = (rows of k with x > 0 + alpha) / (n_k + 2 alpha)
    multinomial   p(j | k) = (sum of column j in k + alpha) / (sum over the columns + alpha columns)
    categorical   p(c | k) = (rows of k with c + alpha) / (n_k + alpha categories)

Source: Manning, Raghavan & Schütze (2008), Introduction to Information Retrieval, chapter 13;
smoothing of the variances as in scikit-learn.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mlpond.models.profile import Feature
from mlpond.models.stream import Rows
from mlpond.sql.templates.quoting import double

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Kinds:
    """Which features have which distribution, in the order of the layout."""

    gaussian: list[Feature] = field(default_factory=list)
    bernoulli: list[Feature] = field(default_factory=list)
    multinomial: list[Feature] = field(default_factory=list)
    categorical: list[Feature] = field(default_factory=list)

    @property
    def sparse(self) -> list[Feature]:
        """Those whose rows are lists of entries."""
        return [f for f in (*self.bernoulli, *self.multinomial) if f.atom.kind != "numeric"]


@dataclass(frozen=True)
class Learnt:
    """The parameters; arrays over the classes first.

    Attributes:
        rows: n_k, shape (K,).
        mean: Of the gaussians, shape (K, g).
        variance: Of the gaussians, smoothing included, shape (K, g).
        total_mean: Of the gaussians over all classes, shape (g,).
        total_sd: Their sample standard deviations, shape (g,).
        log_probability: Of each other feature its categories (or the one column), (K, width).
    """

    rows: Array
    mean: Array
    variance: Array
    total_mean: Array
    total_sd: Array
    log_probability: dict[str, Array]


def learn(engine: Any, rows: Rows, kinds: Kinds, classes: int, options: Any) -> Learnt:
    """Learn everything from the rows.

    Args:
        engine: Runs SQL.
        rows: The encoded rows; their label is the index of the class.
        kinds: What each feature is.
        classes: K.
        options: smoothing and var_smoothing.
    """
    alpha = options["smoothing"]
    n, gaussians, counts = _sums(engine, rows, kinds, classes)
    moments = _moments(gaussians, kinds.gaussian, n)
    mean, variance, total_mean, total_sd = moments
    largest = float(np.max(_pooled(gaussians), initial=0.0))
    learnt: dict[str, Array] = {}
    for feature, sums in zip([f for f in kinds.bernoulli if _is_number(f)], counts[0], strict=True):
        learnt[feature.atom.name] = np.log((sums + alpha) / (n + 2 * alpha))[:, None]
    by_category = _categories(engine, rows, [*kinds.categorical, *kinds.sparse], classes)
    for feature in kinds.categorical:
        table = by_category[feature.atom.name]
        learnt[feature.atom.name] = _log((table + alpha) / (n[:, None] + alpha * table.shape[1]))
    for feature in kinds.bernoulli:
        if not _is_number(feature):
            table = by_category[feature.atom.name]
            learnt[feature.atom.name] = _log((table + alpha) / (n[:, None] + 2 * alpha))
    numeric = [f for f in kinds.multinomial if _is_number(f)]
    tables = dict(zip([f.atom.name for f in numeric], [c[:, None] for c in counts[1]], strict=True))
    for feature in kinds.multinomial:
        tables.setdefault(feature.atom.name, by_category.get(feature.atom.name, np.empty((0, 0))))
    whole = sum((table.sum(axis=1) + alpha * table.shape[1] for table in tables.values()), 0.0 * n)
    for name, table in tables.items():
        learnt[name] = _log((table + alpha) / whole[:, None])
    return Learnt(
        n, mean, variance + options["var_smoothing"] * largest, total_mean, total_sd, learnt
    )


def _sums(engine: Any, rows: Rows, kinds: Kinds, classes: int) -> tuple[Array, Array, Any]:
    """The aggregate over the numbers: n_k; count, sum and squares of the gaussians (K, g, 3),
    and sums of the others."""
    columns = ["count(*)"]
    for feature in kinds.gaussian:
        x = f"({feature.atom.expression} - {double(feature.mean)})"
        present = f"count({feature.atom.expression})" if feature.nulls else "count(*)"
        columns += [present, f"coalesce(sum({x}), 0e0)", f"coalesce(sum({x} * {x}), 0e0)"]
    bernoulli = [f for f in kinds.bernoulli if _is_number(f)]
    multinomial = [f for f in kinds.multinomial if _is_number(f)]
    columns += [f"coalesce(sum(({f.atom.expression} > 0)::int), 0)" for f in bernoulli]
    columns += [f"coalesce(sum({f.atom.expression}), 0e0)" for f in multinomial]
    listed = ", ".join(columns)
    found = engine.rows(
        f"select {rows.label}::integer as __class, {listed} from {rows.relation} group by all"
    )
    table = np.zeros((classes, len(columns)))
    for row in found:
        table[row[0]] = row[1:]
    g, b = len(kinds.gaussian), len(bernoulli)
    others = table[:, 1 + 3 * g :]
    sums = table[:, 1 : 1 + 3 * g].reshape(classes, g, 3)
    return table[:, 0], sums, (others[:, :b].T, others[:, b:].T)


def _moments(sums: Array, features: list[Feature], n: Array) -> tuple[Array, Array, Array, Array]:
    """Means and variances by class, and mean and sample deviation over all of them."""
    count, first, second = sums[..., 0], sums[..., 1], sums[..., 2]
    shift = np.array([f.mean for f in features])
    whole = count.sum(axis=0)
    near = first.sum(axis=0) / np.maximum(whole, 1)
    squares = np.maximum(second.sum(axis=0) - near * near * whole, 0.0)
    with np.errstate(invalid="ignore", divide="ignore"):
        m = first / count
        v = second / count - m * m
        # what is left of a class with one value is the rounding of the two that cancel
        v = np.where(v <= 1e-14 * (second / count), 0.0, v)
    # a class that knows no value of the column takes what all classes know
    unknown = count == 0
    m = np.where(unknown, near, m)
    v = np.where(unknown, squares / np.maximum(whole, 1), v)
    return shift + m, v, shift + near, np.sqrt(squares / np.maximum(whole - 1, 1))


def _pooled(sums: Array) -> Array:
    """Variance of every gaussian column over all classes, shape (g,)."""
    count, first, second = (sums[..., i].sum(axis=0) for i in range(3))
    n = np.maximum(count, 1)
    return np.asarray(np.maximum(second / n - (first / n) ** 2, 0.0))


def _categories(engine: Any, rows: Rows, features: list[Feature], classes: int) -> dict[str, Array]:
    """Rows by class and category (K, categories); of sparse features the sums of their values."""
    tables = {f.atom.name: np.zeros((classes, f.width)) for f in features}
    coded = [f for f in features if f.atom.kind == "category"]
    if coded:
        codes = ", ".join(f"{f.code_sql()} as c{i}" for i, f in enumerate(coded))
        sets = ", ".join(f"(k, c{i})" for i in range(len(coded)))
        names = ", ".join(f"c{i}" for i in range(len(coded)))
        # one scan for all features: every set of columns is counted on its own
        found = engine.rows(
            f"select k, grouping({names}), {names}, count(*) "
            f"from (select {rows.label}::integer as k, {codes} from {rows.relation}) "
            f"group by grouping sets ({sets})"
        )
        for k, which, *values, count in found:
            i = len(coded) - 1 - (~which & (2 ** len(coded) - 1)).bit_length() + 1
            if values[i] >= 0:
                tables[coded[i].atom.name][k, values[i]] = count
    for feature in features:
        if feature.atom.kind == "category":
            continue
        found = engine.rows(
            f"select k, e.index, sum(e.value) from (select {rows.label}::integer as k, "
            f"unnest({feature.sparse_sql()}) as e from {rows.relation}) group by all"
        )
        for k, index, total in found:
            if 0 <= index < feature.width:
                tables[feature.atom.name][k, index] = total
    return tables


def _is_number(feature: Feature) -> bool:
    return feature.atom.kind == "numeric"


def _log(p: Array) -> Array:
    with np.errstate(divide="ignore"):
        return np.asarray(np.log(p))


def complement(log_probability: Array) -> Array:
    """ln(1 - p) of ln p."""
    with np.errstate(divide="ignore"):
        return np.asarray(np.log(-np.expm1(log_probability)))


def gaussian_constant(variance: float) -> float:
    """The part of the log density that has no x in it."""
    return -0.5 * math.log(2.0 * math.pi * variance)

"""What one look at the training rows tells about columns and features, before any training."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any

from mlpond.engine import Engine
from mlpond.errors import TrainingError
from mlpond.models.features import Atom, is_number
from mlpond.sql.templates.quoting import double, identifier, string

EXACT_MEDIAN_ROWS = 1_000_000
SAMPLE_AT_LEAST = 100  # rows below which a sample says too little
NULL_CATEGORY = "_null_filler"  # BigQuery ML's name for NULL as a category


@dataclass(frozen=True)
class Numbers:
    """Statistics of a numeric expression over the training rows."""

    n: int
    min: float | None
    max: float | None
    mean: float | None
    stddev: float | None
    median: float | None = None


@dataclass(frozen=True)
class Feature:
    """A feature with all that training has learnt about it: enough to encode any row.

    A numeric feature has its mean, which stands in for NULL. A category has its values in order;
    code i is the i-th of them, NULL comes last if it is a category of its own, and -1 is none.
    """

    atom: Atom
    mean: float = 0.0
    stddev: float = 0.0
    nulls: int = 0
    categories: tuple[str, ...] = ()
    counts: tuple[int, ...] = ()
    has_null: bool = False
    dropped: int | None = None
    width: int = 1

    def labels(self) -> list[str | None]:
        """Return the category of every column that the feature makes; None for a number."""
        if self.atom.kind == "numeric":
            return [None]
        if self.atom.kind == "sparse":
            return [self.atom.names.get(str(i), str(i)) for i in range(self.width)]
        names = [self.atom.names.get(text, text) for text in self.categories]
        return [*names, *([NULL_CATEGORY] if self.has_null else [])]

    def code_sql(self) -> str:
        """Write the SQL of a category's code."""
        expression = self.atom.expression
        code = "-1"
        if self.categories:
            names = ", ".join(string(text) for text in self.categories)
            # try_cast to an ENUM is a hash look-up, and NULL for a category not seen
            code = f"coalesce(enum_code(try_cast({expression} as enum({names})))::integer, -1)"
        if self.has_null:
            null_code = len(self.categories)
            code = f"case when {expression} is null then {null_code} else {code} end"
        if self.dropped is not None:
            code = f"coalesce(nullif({code}, {self.dropped}), -1)"
        return code

    def sparse_sql(self) -> str:
        """Write the SQL of a sparse feature: a list of STRUCT(index, value)."""
        if self.atom.kind == "sparse":
            return f"coalesce({self.atom.expression}, [])"
        if not self.categories:
            return "[]::struct(index bigint, value double)[]"
        names = ", ".join(string(text) for text in self.categories)
        codes = (
            f"list_transform(coalesce({self.atom.expression}, []), "
            f"lambda c: enum_code(try_cast(c as enum({names})))::bigint)"
        )
        return (
            f"list_transform(list_distinct(list_filter({codes}, lambda i: i is not null)), "
            "lambda i: {'index': i, 'value': 1e0})"
        )

    @property
    def is_constant(self) -> bool:
        """Whether every training row has the same value, or none."""
        if self.atom.kind == "numeric":
            return self.stddev == 0.0
        return self.atom.kind == "category" and self.width <= 1

    def within(self, struct: str) -> Feature:
        """The same feature where the columns are fields of a struct."""
        return replace(self, atom=self.atom.within(struct))

    def number_sql(self) -> str:
        """Write the SQL of a numeric feature, NULL replaced by the mean."""
        if self.nulls == 0:
            return self.atom.expression
        return f"coalesce({self.atom.expression}, {double(self.mean)})"


def numbers(
    model: str,
    engine: Engine,
    rows: str,
    names: list[str],
    expressions: list[str],
    sample: str | None = None,
    weight: str | None = None,
) -> list[Numbers]:
    """Compute count, minimum, maximum, mean and standard deviation of numeric expressions.

    Args:
        model: For messages.
        engine: Runs the queries.
        rows: The rows, as they can stand behind FROM.
        names: What each expression is called in messages.
        expressions: SQL of DOUBLE values.
        sample: Rows that suffice for mean and standard deviation, where they are about to be
            computed again; all rows if None.
        weight: SQL of the weight of a row. The mean is weighted, the variance is n / (n - 1) times
            the weighted mean square, and of rows of weight 0 nothing counts.

    Raises:
        TrainingError: a value is NaN or infinite, which would spread to every coefficient.
    """
    if not expressions:
        return []
    # DuckDB keeps these three for every stored column, so that no row need be read
    if weight is not None:
        rows = f"(from {rows} where {weight} > 0)"
    ends = engine.row(
        f"select {', '.join(f'count({e}), min({e}), max({e})' for e in expressions)} from {rows}"
    )
    triples = [ends[3 * i : 3 * i + 3] for i in range(len(expressions))]
    for name, expression, (_, low, high) in zip(names, expressions, triples, strict=True):
        if low is not None and not (math.isfinite(low) and math.isfinite(high)):
            _refuse(model, engine, rows, name, expression)
    # Sums of shifted values: twice as fast as avg and stddev_samp. Near the mean, the shift costs
    # no digits; a value of the data is never further from it than sqrt(n) standard deviations.
    shifts = engine.row(
        f"select {', '.join(f'coalesce(avg({e}), 0e0)' for e in expressions)} "
        f"from (from {rows} limit 1000)"
    )
    times = "" if weight is None else f" * ({weight})"
    sums = engine.row(
        "select "
        + ", ".join(
            f"sum(({e} - {double(c)}){times}), "
            f"sum(({e} - {double(c)}) * ({e} - {double(c)}){times})"
            for e, c in zip(expressions, shifts, strict=True)
        )
        + f", count(*) from {sample or rows}"
    )
    if weight is not None:  # as if every row had the mean weight
        totals = engine.row(
            f"select {', '.join(f'avg({weight}) filter ({e} is not null)' for e in expressions)} "
            f"from {rows}"
        )
        scaled = [None if s is None else s / totals[i // 2] for i, s in enumerate(sums[:-1])]
        sums = (*scaled, sums[-1])
    if sample is not None and sums[-1] < SAMPLE_AT_LEAST:
        # the query's filter has left too little of the sampled stretches
        return numbers(model, engine, rows, names, expressions)
    if sample is not None:
        counts = [sums[-1]] * len(expressions)
    else:
        counts = [triple[0] for triple in triples]
    return [
        _moments(counts[i], triple, shift, sums[2 * i], sums[2 * i + 1])
        for i, (triple, shift) in enumerate(zip(triples, shifts, strict=True))
    ]


def _moments(
    n: int, ends: tuple[Any, ...], shift: float, s1: float | None, s2: float | None
) -> Numbers:
    """Turn the sums of n shifted values into moments; the ends are those of all values."""
    count, low, high = ends
    if n == 0 or s1 is None or s2 is None:
        return Numbers(count, low, high, None, None)
    if low == high:
        return Numbers(count, low, high, low, 0.0 if count > 1 else None)
    sd = math.sqrt(max(s2 - s1 * s1 / n, 0.0) / max(n - 1, 1))
    # a sample may hold one value only; the column does vary
    return Numbers(count, low, high, shift + s1 / n, sd or (high - low) / 4)


def _refuse(model: str, engine: Engine, rows: str, name: str, expression: str) -> None:
    n = engine.value(f"select count(*) from {rows} where not isfinite({expression})")
    raise TrainingError(
        f"CREATE MODEL {model}: column {name} holds NaN or infinity in {n} rows; "
        f"make them NULL in the query, for example `if(isfinite({name}), {name}, NULL)`, "
        "or leave those rows out."
    )


def medians(engine: Engine, rows: str, expressions: list[str], n: int) -> list[float | None]:
    """Compute medians: exactly below a million rows, from there on from about 100,000 of them."""
    if not expressions:
        return []
    sample = ""
    if n >= EXACT_MEDIAN_ROWS:
        sample = f" tablesample system({min(100.0, 1e7 / n):.6f}%) repeatable (1)"
    aggregates = ", ".join(f"median({e})" for e in expressions)
    return list(engine.row(f"select {aggregates} from (select * from {rows}){sample}"))


def learn_features(
    model: str,
    engine: Engine,
    rows: str,
    n: int,
    atoms: list[Atom],
    known: dict[str, Numbers],
    *,
    drop_most_frequent: bool,
    weight: str | None = None,
    report: Callable[[str, float | None], None],
) -> list[Feature]:
    """Learn means, categories and widths from the training rows.

    Args:
        model: For messages.
        engine: Runs the queries.
        rows: The training rows, as it can stand behind FROM.
        n: Number of rows.
        atoms: The features.
        known: Statistics that are known already, by expression.
        drop_most_frequent: Dummy encoding: the most frequent category gets no column.
        weight: SQL of the weight of a row, which counts in means and deviations.
        report: Told what is being looked at.
    """
    numeric = [atom for atom in atoms if atom.kind == "numeric" and atom.expression not in known]
    expressions = [atom.expression for atom in numeric]
    names = [atom.name for atom in numeric]
    found = numbers(model, engine, rows, names, expressions, weight=weight)
    known = known | dict(zip(expressions, found, strict=True))
    features = []
    for atom in atoms:
        if atom.kind == "numeric":
            stats = known[atom.expression]
            features.append(Feature(atom, stats.mean or 0.0, stats.stddev or 0.0, n - stats.n))
            continue
        report(f"categories of {atom.name}", None)
        if atom.kind == "sparse":
            widest = engine.value(
                f"select max(list_max(list_transform({atom.expression}, lambda __e: __e.index))) "
                f"from {rows}"
            )
            features.append(Feature(atom, width=int(widest if widest is not None else -1) + 1))
        else:
            features.append(_categories(engine, rows, atom, drop_most_frequent))
    return features


def _categories(engine: Engine, rows: str, atom: Atom, drop: bool) -> Feature:
    values = f"select {atom.expression} as category from {rows}"
    if atom.kind == "multi_hot":
        values = f"select unnest({atom.expression}) as category from {rows}"
    counts = engine.rows(
        f"select category, count(*) from ({values}) group by category order by category"
    )
    nulls = sum(n for category, n in counts if category is None)
    pairs = [(category, n) for category, n in counts if category is not None]
    categories, frequencies = tuple(c for c, _ in pairs), tuple(n for _, n in pairs)
    has_null = nulls > 0 and atom.null_category and atom.kind == "category"
    columns = frequencies + ((nulls,) if has_null else ())
    dropped = None
    if drop and columns and atom.kind == "category":
        dropped = max(range(len(columns)), key=lambda i: columns[i])
    return Feature(
        atom, nulls=nulls, categories=categories, counts=columns, has_null=has_null,
        dropped=dropped, width=len(columns),
    )  # fmt: skip


def feature_info(
    model: str,
    engine: Engine,
    rows: str,
    columns: list[tuple[str, Any]],
    total: int,
    sample: str | None = None,
) -> tuple[list[tuple[Any, ...]], dict[str, Numbers]]:
    """Describe the inputs as ML.FEATURE_INFO does.

    Args:
        model: For messages.
        engine: Runs the queries.
        rows: The training rows.
        columns: The inputs.
        total: Number of rows.
        sample: Rows that suffice for now, where the moments are gathered later; see ``numbers``.

    Returns:
        Rows (position, input, type, min, max, mean, median, stddev, category_count, null_count,
        dimension), and the statistics of the numeric ones by the expression of their feature.
    """
    numeric = [name for name, kind in columns if is_number(kind)]
    expressions = [f"({identifier(name)})::double" for name in numeric]
    stats = numbers(model, engine, rows, numeric, expressions, sample)
    found: list[float | None] = [None] * len(numeric)
    if sample is None:
        found = medians(engine, rows, expressions, total)
    middle = dict(zip(numeric, found, strict=True))
    by_name = dict(zip(numeric, stats, strict=True))
    info: list[tuple[Any, ...]] = []
    for position, (name, kind) in enumerate(columns):
        column = identifier(name)
        if name in by_name:
            s = by_name[name]
            info.append(
                (
                    position,
                    name,
                    str(kind),
                    s.min,
                    s.max,
                    s.mean,
                    middle[name],
                    s.stddev,
                    None,
                    total - s.n,
                    None,
                )
            )
            continue
        distinct, present = engine.row(
            f"select count(distinct {column}), count({column}) from {rows}"
        )
        dimension = None
        if kind.id in ("list", "array"):
            dimension = engine.value(f"select max(len({column})) from {rows}")
        info.append(
            (
                position,
                name,
                str(kind),
                None,
                None,
                None,
                None,
                None,
                distinct,
                total - present,
                dimension,
            )
        )
    return info, dict(zip(expressions, stats, strict=True))


def described(
    info: list[tuple[Any, ...]], inputs: list[str], known: Iterable[tuple[float, Any, float]]
) -> list[tuple[Any, ...]]:
    """Put what training has learnt of all rows where what a sample told was.

    Args:
        info: Rows as ``feature_info`` gives them.
        inputs: Of which something was learnt.
        known: Mean, median and standard deviation of each.
    """
    better = dict(zip(inputs, known, strict=True))
    return [(*row[:5], *better.get(row[1], row[5:8]), *row[8:]) for row in info]

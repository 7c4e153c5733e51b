"""Which rows train and which evaluate: a predicate on the row, so that it can be applied again.

The split rule is stored with the model as SQL. ``hash`` of DuckDB decides at random; the stored
rule refuses to answer on a DuckDB whose hash differs, rather than silently pick other rows.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from mlpond.engine import Engine
from mlpond.errors import InputError, TrainingError
from mlpond.models.options import Options
from mlpond.sql.templates.quoting import identifier, literal

SMALL, LARGE, LARGE_EVALUATION = 500, 50_000, 10_000  # BigQuery ML's AUTO_SPLIT
_HASHES = 2**64
# Its value is stored with the rule: DuckDB 1.5 and 2.0 agree on it, another version may not.
_PROBE = "hash('mlpond', 1.5e0)"


@dataclass(frozen=True)
class Split:
    """The SQL predicate of the evaluation rows, None if nothing is held out, and their number."""

    evaluation: str | None
    held_out: int = 0

    def training_rows(self, source: str) -> str:
        """Write the query of the training rows."""
        if self.evaluation is None:
            return source
        return f"(select * from {source} where not ({self.evaluation}))"

    def evaluation_rows(self, source: str) -> str | None:
        """Write the query of the evaluation rows, or None."""
        if self.evaluation is None:
            return None
        return f"(select * from {source} where {self.evaluation})"


def make_split(
    engine: Engine,
    model: str,
    source: str,
    columns: list[tuple[str, Any]],
    rows: int,
    options: Options,
) -> Split:
    """Choose the evaluation rows by the options.

    Raises:
        InputError: the split column is missing or of the wrong type.
        TrainingError: nothing is left to train on.
    """
    method = options["data_split_method"]
    fraction = options["data_split_eval_fraction"]
    if method == "NO_SPLIT" or (method == "AUTO_SPLIT" and rows < SMALL):
        return Split(None)
    if method == "CUSTOM":
        split = Split(f"coalesce({identifier(options['data_split_col'])}, true)")
    elif method == "SEQ":
        split = _sequential(
            engine, source, columns, options["data_split_col"], round(rows * fraction)
        )
    elif method == "AUTO_SPLIT" and rows > LARGE:
        split = _exactly(engine, source, columns, LARGE_EVALUATION, options["seed"])
    else:
        if method == "AUTO_SPLIT":
            fraction = 0.2
        split = _random(engine, columns, fraction, options["seed"])
    if split.evaluation is not None:
        held_out = engine.value(f"select count(*) from {source} where {split.evaluation}")
        if held_out == rows:
            raise TrainingError(
                f"CREATE MODEL {model}: data_split_method {method} holds out all {rows} rows and "
                "leaves none to train on; check data_split_col or data_split_eval_fraction."
            )
        if held_out == 0:
            return Split(None)
        split = replace(split, held_out=held_out)
    return split


def check_split_column(model: str, columns: list[tuple[str, Any]], options: Options) -> None:
    """Check before any scan that the split column is there and has a usable type."""
    wanted = options["data_split_col"]
    if wanted is None:
        return
    kind = next((kind for name, kind in columns if name.lower() == wanted.lower()), None)
    names = ", ".join(name for name, _ in columns)
    if kind is None:
        raise InputError(
            f"CREATE MODEL {model}: data_split_col {wanted!r} is not in the query; "
            f"its columns are {names}."
        )
    if options["data_split_method"] == "CUSTOM" and kind.id != "boolean":
        raise InputError(
            f"CREATE MODEL {model}: data_split_col {wanted} has type {kind}; "
            "data_split_method CUSTOM needs BOOLEAN, TRUE for evaluation rows."
        )


def row_hash(columns: list[tuple[str, Any]], seed: int) -> str:
    """Write the hash of a row's values."""
    names = ", ".join(identifier(name) for name, _ in columns)
    return f"hash({names}, {seed}::bigint)"


def _guarded(engine: Engine, predicate: str) -> str:
    """Make a predicate on hashes refuse to run where DuckDB hashes otherwise."""
    probe = engine.value(f"select {_PROBE}")
    return (
        f"case when {_PROBE} = {probe}::ubigint then {predicate} else error('this DuckDB hashes "
        "rows otherwise than the one that trained the model; give the rows to evaluate') end"
    )


def _random(engine: Engine, columns: list[tuple[str, Any]], fraction: float, seed: int) -> Split:
    if fraction <= 0:
        return Split(None)
    limit = min(_HASHES - 1, int(fraction * _HASHES))
    return Split(_guarded(engine, f"{row_hash(columns, seed)} < {limit}::ubigint"))


def _exactly(
    engine: Engine, source: str, columns: list[tuple[str, Any]], n: int, seed: int
) -> Split:
    """Hold out the n rows with the smallest hashes (more if equal rows share the last one)."""
    value = row_hash(columns, seed)
    limit = engine.value(
        f"select max(h) from (select {value} as h from {source} order by h limit {n})"
    )
    return Split(_guarded(engine, f"{value} <= {limit}::ubigint"))


def _sequential(
    engine: Engine, source: str, columns: list[tuple[str, Any]], column: str, n: int
) -> Split:
    """Hold out the last n rows by a column; rows that are equal in it are ordered by their hash."""
    if n <= 0:
        return Split(None)
    name, value = identifier(column), row_hash(columns, 0)
    last = engine.rows(
        f"select {name}, {value} as h from {source} where {name} is not null "
        f"order by {name} desc, h desc limit 1 offset {n - 1}"
    )
    if not last:
        raise TrainingError(
            f"CREATE MODEL: data_split_method SEQ holds out the last {n} rows by {column}, but "
            "fewer rows have a value in it; lower data_split_eval_fraction."
        )
    at, edge = literal(last[0][0]), f"{last[0][1]}::ubigint"
    predicate = _guarded(engine, f"{value} >= {edge}")
    return Split(f"coalesce({name} > {at} or ({name} = {at} and {predicate}), false)")

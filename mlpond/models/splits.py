"""Which rows train and which evaluate: a predicate on the row, so that it can be applied again.

The split rule is stored with the model as SQL. ``hash`` of DuckDB decides at random; the stored
rule refuses to answer on a DuckDB whose hash differs, rather than silently pick other rows.
"""

from __future__ import annotations

from dataclasses import dataclass
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
    """Which rows are held out.

    Attributes:
        evaluation: The SQL predicate of the rows that training looks at, None if there are none.
        held_out: Their number.
        test: The predicate of the rows that nothing looks at before the model is done. Only
            tuning has some: it has chosen by the others.
        tested: Their number.
    """

    evaluation: str | None
    held_out: int = 0
    test: str | None = None
    tested: int = 0

    def training_rows(self, source: str) -> str:
        """Write the query of the training rows."""
        kept = [f"({part})" for part in (self.evaluation, self.test) if part is not None]
        if not kept:
            return source
        return f"(select * from {source} where not ({' or '.join(kept)}))"

    def evaluation_rows(self, source: str) -> str | None:
        """Write the query of the evaluation rows, or None."""
        if self.evaluation is None:
            return None
        return f"(select * from {source} where {self.evaluation})"

    def reported_rows(self, source: str) -> str | None:
        """Write the query of the rows that tell how good the model is, or None."""
        if self.test is None:
            return self.evaluation_rows(source)
        return f"(select * from {source} where {self.test})"


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
    fraction, test = options["data_split_eval_fraction"], options["data_split_test_fraction"]
    tunes, folded = options.space is not None, options["cross_validation"] is not None
    if method == "AUTO_SPLIT":
        if rows < SMALL or (folded and not tunes) or options["tuning_folds"] is not None:
            return Split(None)
        fraction, test = (0.1, 0.1) if tunes else (0.2, 0.0)
    if method == "NO_SPLIT":
        return Split(None)
    if method == "CUSTOM" and tunes:
        split = _named(engine, model, source, options["data_split_col"])
    elif method == "CUSTOM":
        split = Split(f"coalesce({identifier(options['data_split_col'])}, true)")
    elif method == "SEQ":
        column = options["data_split_col"]
        split = _sequential(engine, source, columns, column, rows, fraction, test)
    elif method == "AUTO_SPLIT" and rows > LARGE and not tunes:
        split = _exactly(engine, source, columns, LARGE_EVALUATION, options["seed"])
    else:
        split = _random(engine, columns, fraction, test, options["seed"])
    return _counted(engine, model, source, rows, split, method)


def _counted(
    engine: Engine, model: str, source: str, rows: int, split: Split, method: str
) -> Split:
    """Count the rows held out; a part without rows is none."""
    if split.evaluation is None and split.test is None:
        return split
    parts = [part or "false" for part in (split.evaluation, split.test)]
    held_out, tested = engine.row(
        f"select {', '.join(f'count(*) filter ({part})' for part in parts)} from {source}"
    )
    if held_out + tested == rows:
        raise TrainingError(
            f"CREATE MODEL {model}: data_split_method {method} holds out all {rows} rows and "
            "leaves none to train on; check data_split_col or data_split_eval_fraction."
        )
    return Split(
        split.evaluation if held_out else None, held_out, split.test if tested else None, tested
    )


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
    if options["data_split_method"] != "CUSTOM":
        return
    if options.space is not None and kind.id != "varchar":
        raise InputError(
            f"CREATE MODEL {model}: data_split_col {wanted} has type {kind}; with tuning, "
            "data_split_method CUSTOM needs VARCHAR: TRAIN, EVAL and TEST."
        )
    if options.space is None and kind.id != "boolean":
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


def _named(engine: Engine, model: str, source: str, column: str) -> Split:
    """Read TRAIN, EVAL and TEST from a column; NULL evaluates, as it does in a BOOL column."""
    part = f"coalesce(upper({identifier(column)}), 'EVAL')"
    others = engine.value(
        f"select any_value({identifier(column)}) from {source} "
        f"where {part} not in ('TRAIN', 'EVAL', 'TEST')"
    )
    if others is not None:
        raise InputError(
            f"CREATE MODEL {model}: data_split_col {column} holds {others!r}; with tuning it may "
            "hold TRAIN, EVAL and TEST."
        )
    return Split(f"{part} = 'EVAL'", test=f"{part} = 'TEST'")


def _random(
    engine: Engine, columns: list[tuple[str, Any]], fraction: float, test: float, seed: int
) -> Split:
    value = row_hash(columns, seed)
    first, last = (min(_HASHES - 1, int(f * _HASHES)) for f in (test, test + fraction))
    if first <= 0:
        return Split(_guarded(engine, f"{value} < {last}::ubigint") if last > 0 else None)
    between = f"{value} >= {first}::ubigint and {value} < {last}::ubigint"
    return Split(_guarded(engine, between), test=_guarded(engine, f"{value} < {first}::ubigint"))


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
    engine: Engine,
    source: str,
    columns: list[tuple[str, Any]],
    column: str,
    rows: int,
    fraction: float,
    test: float,
) -> Split:
    """Hold out the last rows by a column: the last of them test, those before them evaluate."""
    tested = round(rows * test)
    after = _last(engine, source, columns, column, tested)
    held = _last(engine, source, columns, column, tested + round(rows * fraction))
    if held is None or after is None:
        return Split(held)
    return Split(f"{held} and not {after}", test=after)


def _last(
    engine: Engine, source: str, columns: list[tuple[str, Any]], column: str, n: int
) -> str | None:
    """Write the predicate of the last n rows; equal ones are ordered by their hash."""
    if n <= 0:
        return None
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
    return f"coalesce({name} > {at} or ({name} = {at} and {predicate}), false)"

"""Rows of a query as blocks for a trainer, and the loop that folds them pass by pass."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from mlpond.arrow import to_numpy
from mlpond.engine import Engine
from mlpond.errors import TrainingError
from mlpond.models.profile import Feature
from mlpond.sql.templates.quoting import identifier
from mlpond.udfs.design import Block, Columns, Layout, Sparse
from mlpond.udfs.moments import Sums, WithMoments
from mlpond.udfs.trainer import Pass, fold

if TYPE_CHECKING:
    import pyarrow as pa

MEDIAN_STRIDE = 50  # one row in so many is kept for the medians that a pass gathers
KEPT_BYTES = 256 * 2**20  # blocks that are kept for the next pass
LIGHT_COLUMNS = 64  # columns up to which the work on a block is light beside its decoding


@dataclass(frozen=True)
class Rows:
    """The rows to train on: where they are, and the SQL of each of their columns."""

    relation: str
    features: list[Feature]
    label: str  # SQL: a number, or the index of the class
    weight: str | None = None
    offset: str | None = None  # SQL of what is added to the score of a row
    has_transform: bool = False
    sampled: Callable[[float], str] | None = None  # the relation of about a share of the rows

    @property
    def is_cheap(self) -> bool:
        """Whether encoding a row costs next to nothing."""
        return not (self.has_transform or self.codes or self.sparse)

    @property
    def dense(self) -> list[Feature]:
        """The numeric features, in order."""
        return [f for f in self.features if f.atom.kind == "numeric"]

    @property
    def codes(self) -> list[Feature]:
        """The categorical features, in order."""
        return [f for f in self.features if f.atom.kind == "category"]

    @property
    def sparse(self) -> list[Feature]:
        """The sparse and multi-hot features, in order."""
        return [f for f in self.features if f.atom.kind in ("sparse", "multi_hot")]

    @property
    def in_layout_order(self) -> list[Feature]:
        """The features as their columns lie in the design."""
        return self.dense + self.codes + self.sparse

    @property
    def layout(self) -> Layout:
        """Which columns the design has."""
        return Layout(
            len(self.dense),
            tuple(feature.width for feature in self.codes),
            tuple(feature.width for feature in self.sparse),
        )

    def query(self, relation: str, where: str = "") -> str:
        """Write the query that streams the encoded rows."""
        columns = [f.number_sql() for f in self.dense]
        columns += [f.code_sql() for f in self.codes]
        columns += [f.sparse_sql() for f in self.sparse]
        columns.append(self.label)
        if self.weight is not None:
            columns.append(self.weight)
        if self.offset is not None:
            columns.append(self.offset)
        listed = ", ".join(f"{sql} as c{i}" for i, sql in enumerate(columns))
        return f"select {listed} from {relation}{where}"

    def sample_query(self, share: float) -> str:
        """Write the query of about a share of the rows, the same at every scan."""
        if self.sampled is not None:
            return self.query(self.sampled(share))
        columns = [f.atom.expression for f in (self.dense[:3] or self.in_layout_order)]
        value = f"hash({', '.join([*columns, self.label])})"
        return self.query(self.relation, f" where {value} % 10000 < {round(share * 10000)}")


class Scans:
    """The blocks of a relation, to be gone through once a pass.

    What fits into memory is kept after the first scan. What does not is scanned again; if its
    encoding is work (a TRANSFORM, categories), the encoded rows are written to a temporary table
    before the second scan.
    """

    def __init__(self, engine: Engine, rows: Rows, relation: str, n: int) -> None:
        self._engine = engine
        self._rows = rows
        self._n = n
        self._query = rows.query(relation)
        self._kept: list[Block] | None = None
        self._table: str | None = None
        self._scans = 0

    def __iter__(self) -> Iterator[Block]:
        if self._kept is not None:
            yield from self._kept
            return
        if self._scans == 1 and not self._rows.is_cheap:
            table = identifier(f"mlpond_encoded_{uuid.uuid4().hex}")
            self._engine.execute(f"create temp table {table} as {self._query}")
            self._table = f"temp.{table}"
            self._query = f"select * from {self._table}"
        self._scans += 1
        kept: list[Block] | None = None
        for number, block in enumerate(blocks(self._engine, self._rows, self._query)):
            if number == 0 and _bytes(block) / block.rows * self._n <= KEPT_BYTES:
                kept = []
            if kept is not None:
                kept.append(block)
            yield block
        self._kept = kept

    def workers(self, threads: int) -> int:
        """How many blocks to work on at once.

        DuckDB decodes on a thread of its own: while light work streams, one thread fewer is
        faster (5M × 20 moments and Gram matrix on two cores: 0.60 s against 0.81 s).
        """
        if self._kept is not None or self._rows.layout.width > LIGHT_COLUMNS:
            return threads
        return max(1, threads - 1)

    def watched(self, report: Callable[[str, float | None], None], what: str) -> Iterator[Block]:
        """Go through the blocks and tell how far it is."""
        done = 0
        for block in self:
            yield block
            done += block.rows
            report(what, min(done / max(self._n, 1), 1.0))

    def close(self) -> None:
        """Give back memory and the temporary table."""
        self._kept = None
        if self._table is not None:
            self._engine.drop_quietly(self._table)


def blocks(engine: Engine, rows: Rows, query: str) -> Iterator[Block]:
    """Stream a query of encoded rows as blocks."""
    with engine.stream(query) as batches:
        for batch in batches:
            if batch.num_rows:
                yield _block(rows, batch)


def _bytes(block: Block) -> int:
    arrays = [block.X, *block.codes, block.y]
    for feature in block.sparse:
        arrays += [feature.indptr, feature.index, feature.value]
    return sum(array.nbytes for array in arrays)


def train(
    engine: Engine,
    first: Pass[Any],
    rows: Rows,
    evaluation: str | None,
    n: int,
    n_evaluation: int,
    threads: int,
    report: Callable[[str, float | None], None],
    moments_near: np.ndarray[Any, Any] | None = None,
) -> tuple[Any, list[int], Sums | None]:
    """Run a trainer's passes over the rows until it has a fit.

    Args:
        engine: Streams the rows.
        first: The first pass.
        rows: The training rows.
        evaluation: The relation of the held-out rows, or None.
        n: Number of training rows.
        n_evaluation: Number of held-out rows.
        threads: Threads that may work at once.
        report: Told which pass is running.
        moments_near: If given, the first pass over all rows also gathers the moments of the dense
            columns; a value near the mean of each.

    Returns:
        The fit, the duration of every pass in milliseconds, and the moments.

    Raises:
        TrainingError: the numbers got out of hand; says why.
    """
    scans = Scans(engine, rows, rows.relation, n)
    held_out_scans = None if evaluation is None else Scans(engine, rows, evaluation, n_evaluation)
    try:
        return _run_passes(
            engine, first, rows, scans, held_out_scans, threads, report, moments_near
        )
    finally:
        scans.close()
        if held_out_scans is not None:
            held_out_scans.close()


def _run_passes(
    engine: Engine,
    first: Pass[Any],
    rows: Rows,
    scans: Scans,
    evaluation: Scans | None,
    threads: int,
    report: Callable[[str, float | None], None],
    moments_near: np.ndarray[Any, Any] | None,
) -> tuple[Any, list[int], Sums | None]:
    step: Any = first
    moments: Sums | None = None
    durations = []
    number = 0
    while isinstance(step, Pass):
        started = time.perf_counter()
        number += 1
        what = f"pass {number}"
        report(what, None)
        try:
            if step.sample is not None:
                state = fold(step, blocks(engine, rows, rows.sample_query(step.sample)), threads)
            elif moments_near is not None and moments is None:
                with_moments = WithMoments(step, rows.layout, moments_near, MEDIAN_STRIDE)
                workers = scans.workers(threads)
                state, moments = fold(with_moments, scans.watched(report, what), workers)
            else:
                workers = scans.workers(threads)
                state = fold(step, scans.watched(report, what), workers)
            held_out = None
            if evaluation is not None and step.evaluation is not None:
                held_out = fold(step.evaluation, evaluation, evaluation.workers(threads))
            step = step.finish(state, held_out)
        except (ValueError, FloatingPointError, np.linalg.LinAlgError) as error:
            raise TrainingError(f"training, pass {number}: {error}") from error
        durations.append(round(1000 * (time.perf_counter() - started)))
    return step, durations, moments


def _block(rows: Rows, batch: pa.RecordBatch) -> Block:
    n, dense, codes = batch.num_rows, len(rows.dense), len(rows.codes)
    X: Any = np.empty((n, 0))
    if dense:  # the columns stay in Arrow's memory, (n, dense)
        X = Columns([to_numpy(batch.column(j)) for j in range(dense)])
    at = dense
    code_columns = []
    for _ in range(codes):
        code_columns.append(to_numpy(batch.column(at)))  # (n,) int32
        at += 1
    sparse = []
    for feature in rows.sparse:
        sparse.append(_sparse(batch.column(at), feature.width))
        at += 1
    y = to_numpy(batch.column(at)).astype(np.float64)  # (n,)
    weight = None
    if rows.weight is not None:
        at += 1
        weight = to_numpy(batch.column(at)).astype(np.float64)
    offset = None
    if rows.offset is not None:
        offset = to_numpy(batch.column(at + 1)).astype(np.float64)
    return Block(X, tuple(code_columns), tuple(sparse), y, weight, offset)


def _sparse(column: Any, width: int) -> Sparse:
    """Turn a list of STRUCT(index, value) into compressed rows; unknown columns are left out."""
    entries = column.flatten()
    indptr = to_numpy(column.offsets).astype(np.int64)
    indptr = indptr - indptr[0]
    index = to_numpy(entries.field(0)).astype(np.int64)
    value = to_numpy(entries.field(1)).astype(np.float64)
    known = (index >= 0) & (index < width)
    if not known.all():
        kept = np.concatenate([[0], np.cumsum(known)])
        indptr, index, value = kept[indptr], index[known], value[known]
    return Sparse(indptr, index, value)

"""k-means of one column, for bins: each of Lloyd's steps is one scan of the distinct values."""

from __future__ import annotations

import math
import uuid

from mlpond.engine import Engine
from mlpond.models.preprocessing.cuts import rank_of
from mlpond.sql.templates.quoting import double, doubles

MOST_STEPS = 300
TOLERANCE = 1e-4  # of the variance: sum of the squared moves of the centres at which it ends


def centres_of(engine: Engine, source: str, x: str, start: list[float]) -> list[float]:
    """Move centres to the means of what is nearest to them until they stay, and sort them.

    A centre to which nothing is nearest moves to the value that is farthest from its own, and one
    that loses its only value by that to the centre of the most values. All as scikit-learn's KMeans
    does from given centres, so that the bins are its bins. No more distinct values than centres are
    the centres themselves, where scikit-learn goes on moving.
    """
    name = f"mlpond_values_{uuid.uuid4().hex}"
    # a power of two, so that nothing is rounded, and no square overflows
    scale = math.ldexp(1.0, math.frexp(max(map(abs, start)))[1] - 1)
    engine.execute(
        f"create temp table {name} as select {x} / {double(scale)} as x, count(*) as n "
        f"from {source} where {x} is not null group by 1"
    )
    try:
        centres = _lloyd(engine, f"temp.{name}", sorted(c / scale for c in start))
        return [c * scale for c in centres]
    finally:
        engine.drop_quietly(f"temp.{name}")


def _lloyd(engine: Engine, values: str, centres: list[float]) -> list[float]:
    if engine.value(f"select count(*) from {values}") <= len(centres):
        return [x for (x,) in engine.rows(f"select x from {values} order by x")]
    variance = engine.value(
        f"select sum(n * (x - mean) ** 2) / sum(n) from {values} "
        f"cross join (select sum(n * x) / sum(n) as mean from {values})"
    )
    before: list[tuple[float, float]] = []
    for _ in range(MOST_STEPS):
        cells = _cells(engine, values, centres)
        if cells == before:
            break
        before = list(cells)
        _fill(engine, values, centres, cells)
        largest, total = max(cells)
        moved = [s / n if n else total / largest for n, s in cells]
        shift = sum((a - b) ** 2 for a, b in zip(moved, centres, strict=True))
        centres = _in_order(moved)
        if shift <= TOLERANCE * variance:
            break
    return sorted(centres)


def _in_order(centres: list[float]) -> list[float]:
    """Sort centres; of equal ones all but one, to which nothing is nearest, go to the end."""
    distinct = sorted(set(centres))
    return distinct + [c for c in distinct for _ in range(centres.count(c) - 1)]


def _cell(centres: list[float]) -> str:
    """SQL of the number of the nearest centre; a value midway is the lower one's."""
    distinct = sorted(set(centres))
    middles = [(a + b) / 2.0 for a, b in zip(distinct, distinct[1:], strict=False)]
    return f"{len(middles)} - {rank_of('(-x)', [-m for m in reversed(middles)])}"


def _cells(engine: Engine, values: str, centres: list[float]) -> list[tuple[float, float]]:
    """Count and sum of what is nearest to each centre."""
    rows = engine.rows(
        f"select {_cell(centres)} as cell, sum(n)::double, sum(n * x) from {values} group by cell"
    )
    found = {cell: (n, s) for cell, n, s in rows}
    return [found.get(cell, (0.0, 0.0)) for cell in range(len(centres))]


def _fill(
    engine: Engine, values: str, centres: list[float], cells: list[tuple[float, float]]
) -> None:
    """Give each empty cell the value farthest from its centre."""
    empty = [cell for cell, (n, _) in enumerate(cells) if n == 0]
    if not empty:
        return
    far = engine.rows(
        f"select x, n, {_cell(centres)} as cell, abs(x - {doubles(centres)}[cell + 1]) as distance "
        f"from {values} order by distance desc, x limit {len(empty)}"
    )
    if not far or far[0][3] == 0:
        return
    single = [(x, cell) for x, n, cell, _ in far for _ in range(n)]
    for cell, (x, old) in zip(empty, single, strict=False):
        n, s = cells[old]
        cells[old] = (n - 1, s - x)
        cells[cell] = (1.0, x)

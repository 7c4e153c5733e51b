"""The function ``ml_nearest`` of a session: the search for neighbours, in numpy instead of SQL."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from mlpond.arrow import from_numpy, to_numpy
from mlpond.engine import Engine
from mlpond.errors import ModelError
from mlpond.sql.templates.quoting import string

if TYPE_CHECKING:
    from mlpond.session import Session
    from mlpond.udfs.distance import Points
    from mlpond.udfs.neighbours.inverted_file import InvertedFile

DEFAULT_SHARE = 0.05  # of the cells of an inverted file that are searched
MOST_KEPT = 2  # models whose points are held in memory

Array = np.ndarray[Any, Any]


def read_points(
    engine: Engine, model: str, version: int, n: int
) -> tuple[Array, Array, Array, Array]:
    """Read the points of a model in the order of their numbers.

    Args:
        engine: Streams them.
        model: Name of the model.
        version: Its version.
        n: How many points it has.

    Returns:
        Number (n,), place (n, p), value (n,) and cell (n,), -1 where there is none.
    """
    number, value = np.empty(n, dtype=np.int64), np.empty(n)
    cell, place = np.full(n, -1, dtype=np.int64), np.empty((n, 0))
    first = 0
    query = (
        "select point_id, value, coalesce(cell, -1) as cell, point from ml.neighbor_points "
        f"where model = {string(model)} and version = {version}"
    )
    with engine.stream(query) as batches:
        for batch in batches:
            last = first + batch.num_rows
            points: Any = batch.column(3)
            flat = to_numpy(points.flatten())
            if not first:
                place = np.empty((n, flat.size // max(batch.num_rows, 1)))
            place[first:last] = flat.reshape(batch.num_rows, -1)
            number[first:last] = to_numpy(batch.column(0))
            value[first:last] = to_numpy(batch.column(1))
            cell[first:last] = to_numpy(batch.column(2))
            first = last
    if np.any(number[1:] < number[:-1]):  # they come as they were stored, so hardly ever
        order = np.argsort(number)
        return number[order], place[order], value[order], cell[order]
    return number, place, value, cell


class Searches:
    """The points of the models that a session has asked lately, ready to be searched."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: OrderedDict[tuple[Any, ...], tuple[Array, Array, Points | InvertedFile]] = (
            OrderedDict()
        )

    def nearest(
        self, engine: Engine, threads: int, model: str, version: int, k: int, probes: int,
        metric: str, x: Array,
    ) -> tuple[Array, Array, Array]:  # fmt: skip
        """Find the neighbours of the rows of x.

        Returns:
            Distance, number and value of the k nearest points of each row, all of shape (n, k).
        """
        number, value, points = self._find(engine, model, version, metric)
        from mlpond.udfs.neighbours.inverted_file import InvertedFile

        if isinstance(points, InvertedFile):
            found = points.nearest(x, k, probes, threads=threads)
        else:
            found = points.nearest(x, k, threads=threads)
        return found.distance, number[found.index], value[found.index]

    def _find(
        self, engine: Engine, model: str, version: int, metric: str
    ) -> tuple[Array, Array, Points | InvertedFile]:
        # a model that was dropped and made again has another time
        made = engine.rows(
            "select created_at, training_rows from ml.models where name = $1 and version = $2 "
            # the model of a group: made with the version that it is a part of
            "union all select m.created_at, g.training_rows from ml.groups as g join ml.models as "
            "m on m.name = g.model and m.version = g.version where g.model || '@' || g.version "
            "= $1 and g.group_id = $2",
            [model, version],
        )
        if not made:
            raise ModelError(
                f"ml_nearest: model {model}@{version} is not there yet; commit the transaction "
                "that makes it before predicting with it."
            )
        key = (model, version, made[0][0])
        with self._lock:
            if key not in self._kept:
                self._kept[key] = _load(engine, model, version, metric, made[0][1])
                while len(self._kept) > MOST_KEPT:
                    self._kept.popitem(last=False)
            self._kept.move_to_end(key)
            return self._kept[key]


def _load(
    engine: Engine, model: str, version: int, metric: str, n: int
) -> tuple[Array, Array, Points | InvertedFile]:
    from mlpond.udfs.distance import Points
    from mlpond.udfs.neighbours.inverted_file import InvertedFile

    where = f"where model = {string(model)} and version = {version}"
    number, place, value, cell = read_points(engine, model, version, n)
    centers = engine.rows(f"select center from ml.neighbor_cells {where} order by cell")
    if not centers:
        return number, value, Points(place, metric)
    index = InvertedFile(place, np.array([row[0] for row in centers]), cell, metric)
    return number, value, index


def nearest_in_session(pond: Session, columns: Sequence[Any], searches: Searches) -> Any:
    """Answer a call of ``ml_nearest(model, version, k, probes, metric, x)``, Arrow columns all."""
    from mlpond.models.execute import threads_of

    model, version, k, probes, metric = (column[0].as_py() for column in columns[:5])
    x = _plain(columns[5])
    flat = to_numpy(x.flatten())
    cursor = Engine(pond.con.cursor())  # the caller's connection is in a query
    try:
        found = searches.nearest(
            cursor, threads_of(cursor), model, version, k, probes, metric, flat.reshape(len(x), -1)
        )
    finally:
        cursor.con.close()
    return _lists(*found)


def _plain(column: Any) -> Any:
    return column.combine_chunks() if hasattr(column, "combine_chunks") else column


def _lists(distance: Array, number: Array, value: Array) -> Any:
    import pyarrow as pa

    entries = pa.StructArray.from_arrays(
        [from_numpy(distance), from_numpy(number), from_numpy(value)],
        names=["distance", "point_id", "value"],
    )
    ends = np.arange(len(distance) + 1, dtype=np.int32) * distance.shape[1]
    return pa.ListArray.from_arrays(from_numpy(ends), entries)

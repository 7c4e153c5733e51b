"""The function ``ml_nearest`` of a session: the search for neighbours, in numpy instead of SQL."""

from __future__ import annotations

import threading
import uuid
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from mlpond.arrow import from_numpy, to_numpy
from mlpond.engine import Engine
from mlpond.errors import ModelError
from mlpond.sql.templates.quoting import string
from mlpond.udf import OFFERED

if TYPE_CHECKING:
    from mlpond.instance import Instance
    from mlpond.models.registry import Version
    from mlpond.udfs.distance import Points
    from mlpond.udfs.neighbours.inverted_file import InvertedFile

DEFAULT_SHARE = 0.05  # of the cells of an inverted file that are searched
# Models whose points are held in memory: the last so many, and more as long as they are small.
MOST_KEPT, KEPT_BYTES = 2, 64 * 2**20
BATCH_POINTS = 8_192  # that are read at once, for they may be wide

Array = np.ndarray[Any, Any]


def read_points(
    engine: Engine, model: str, version: int, n: int, place_of: Array | None = None
) -> tuple[Array, Array]:
    """Read the points of a model; they are numbered from 1.

    Args:
        engine: Streams them.
        model: Name of the model.
        version: Its version.
        n: How many points it has.
        place_of: Where each goes, shape (n,); None for the order of their numbers.

    Returns:
        The points, (n, p), and their values in the order of their numbers, (n,).
    """
    points, value = np.empty((n, 0)), np.empty(n)
    query = (
        "select point_id - 1, value, point from ml.neighbor_points "
        f"where model = {string(model)} and version = {version}"
    )
    with engine.stream(query, BATCH_POINTS) as batches:
        for batch in batches:
            at = to_numpy(batch.column(0))
            lists: Any = batch.column(2)
            rows = to_numpy(lists.flatten()).reshape(batch.num_rows, -1)
            if points.shape[1] != rows.shape[1]:
                points = np.empty((n, rows.shape[1]))
            points[at if place_of is None else place_of[at]] = rows
            value[at] = to_numpy(batch.column(1))
    return points, value


@dataclass(frozen=True)
class Stored:
    """The points of a model in memory.

    Attributes:
        points: The points, shape (n, p), in the order of their cells if there are any.
        value: Their values in the order of their numbers, shape (n,).
        centers: Of the cells, shape (L, p), or None.
        cell: The cell of each point in the order of their numbers, shape (n,), or None.
    """

    points: Array
    value: Array
    centers: Array | None
    cell: Array | None

    @classmethod
    def read(cls, engine: Engine, model: str, version: int, n: int) -> Stored:
        """Read them from the database."""
        where = f"where model = {string(model)} and version = {version}"
        centers = engine.rows(f"select center from ml.neighbor_cells {where} order by cell")
        if not centers:
            return cls(*read_points(engine, model, version, n), None, None)
        from mlpond.udfs.neighbours.inverted_file import by_cell

        cell, place_of = np.empty(n, dtype=np.int32), np.empty(n, dtype=np.int32)
        query = f"select point_id - 1, cell from ml.neighbor_points {where}"
        with engine.stream(query) as batches:
            for batch in batches:
                cell[to_numpy(batch.column(0))] = to_numpy(batch.column(1))
        place_of[by_cell(cell)] = np.arange(n)
        read = read_points(engine, model, version, n, place_of)
        return cls(*read, np.array([row[0] for row in centers]), cell)

    def prepared(self, metric: str) -> Search:
        """The points ready to be searched; they are overwritten."""
        from mlpond.udfs.distance import Points
        from mlpond.udfs.neighbours.inverted_file import InvertedFile

        if self.centers is None:
            return Search(Points(self.points, metric, overwrite=True), self.value)
        assert self.cell is not None
        return Search(
            InvertedFile(self.points, self.centers, self.cell, metric, is_sorted=True), self.value
        )


@dataclass(frozen=True)
class Search:
    """The points of a model, ready to be searched, and their values."""

    points: Points | InvertedFile
    value: Array

    def nearest(self, x: Array, k: int, probes: int, threads: int) -> tuple[Array, Array, Array]:
        """Distance, number and value of the k nearest points of each row of x, all (n, k)."""
        from mlpond.udfs.neighbours.inverted_file import InvertedFile

        if isinstance(self.points, InvertedFile):
            found = self.points.nearest(x, k, probes, threads=threads)
        else:
            found = self.points.nearest(x, k, threads=threads)
        return found.distance, found.index + 1, self.value[found.index]

    @property
    def nbytes(self) -> int:
        """Memory of the points."""
        return self.points.nbytes + self.value.nbytes


class Searches:
    """The points of the models that a session has asked lately, ready to be searched."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: OrderedDict[tuple[Any, ...], Search] = OrderedDict()
        self._offered: dict[str, Stored | Search] = {}

    def find(self, engine: Engine, model: str, version: int, metric: str) -> Search:
        """Find the points of a committed model, or those that are offered under a token."""
        with self._lock:
            if model in self._offered:
                offer = self._offered[model]
                if isinstance(offer, Stored):
                    offer = self._offered[model] = offer.prepared(metric)
                return offer
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
                self._make_room()
                self._kept[key] = Stored.read(engine, model, version, made[0][1]).prepared(metric)
            self._kept.move_to_end(key)
            return self._kept[key]

    def _make_room(self) -> None:
        while (
            len(self._kept) >= MOST_KEPT
            and sum(search.nbytes for search in self._kept.values()) > KEPT_BYTES
        ):
            self._kept.popitem(last=False)

    @contextmanager
    def offered(self, engine: Engine, version: Version) -> Iterator[None]:
        """Let ml_nearest find the points of a version that is not committed, within a block.

        The caller's connection alone sees the rows; the cursor of ml_nearest does not. So they
        are read here and kept under a token that nobody else knows, and a variable of the
        connection tells the functions of this version to ask by the token. Whatever becomes of the
        transaction, at the end of the block nothing is left of them.
        """
        n = engine.value(
            "select count(*) from ml.neighbor_points where model = ? and version = ?",
            [version.name, version.version],
        )
        if not n:
            yield
            return
        token = f"offered {uuid.uuid4().hex}"
        stored = Stored.read(engine, version.name, version.version, n)
        with self._lock:
            self._offered[token] = stored
        del stored
        try:
            names = f"[{string(version.full_name)}, {string(string(token))}]"
            engine.execute(f"set variable {OFFERED} = {names}")
            yield
        finally:
            with self._lock:
                del self._offered[token]
            with engine.if_alive():
                engine.execute(f"reset variable {OFFERED}")


def nearest_in_session(instance: Instance, columns: Sequence[Any]) -> Any:
    """Answer a call of ``ml_nearest(model, version, k, probes, metric, x)``, Arrow columns all."""
    from mlpond.models.execute import threads_of

    model, version, k, probes, metric = (column[0].as_py() for column in columns[:5])
    x = _plain(columns[5])
    flat = to_numpy(x.flatten())
    with instance.engine.on_cursor() as cursor:
        search = instance.searches.find(cursor, model, version, metric)
        found = search.nearest(flat.reshape(len(x), -1), k, probes, threads_of(cursor))
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
    offsets: Any = from_numpy(ends)
    return pa.ListArray.from_arrays(offsets, entries)

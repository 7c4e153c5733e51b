"""What the sessions of one database share.

DuckDB opens a file once in a process: all connections to it are to one instance, and what Python
registers is the instance's. So the functions are registered for the first session and removed after
the last. DuckDB holds their addresses; a connection that outlives the sessions must not find them.
"""

from __future__ import annotations

import threading
import uuid
from functools import cached_property
from typing import TYPE_CHECKING
from weakref import WeakSet

import duckdb

from mlpond.engine import Engine
from mlpond.udf import HAS_NEAREST, INSTANCE, register, unregister

if TYPE_CHECKING:
    from mlpond.models.neighbors import Searches
    from mlpond.session import Session

LOCK = threading.RLock()
"""Held while a session is opened or closed, for its file may be another session's."""
_OPEN: dict[str, Instance] = {}


class Instance:
    """A database that sessions are open on, and a connection that is open as long as they are."""

    def __init__(self, con: duckdb.DuckDBPyConnection) -> None:
        self.engine = Engine(con)
        self.token = uuid.uuid4().hex
        self.sessions: WeakSet[Session] = WeakSet()
        self.n_sessions = 0
        self.functions: list[str] = []  # those that are registered

    @cached_property
    def searches(self) -> Searches:
        """The points of nearest-neighbour models that are held in memory."""
        from mlpond.models.neighbors import Searches

        return Searches()

    def cursor(self) -> duckdb.DuckDBPyConnection:
        """A connection for a session."""
        cursor = self.engine.con.cursor()
        cursor.execute(f"set variable {HAS_NEAREST} = true")
        return cursor

    def report(self, message: str, fraction: float | None = None) -> None:
        """Tell the sessions how far a function is: it does not know which of them has called it."""
        with LOCK:
            sessions = list(self.sessions)
        for session in sessions:
            session.report(message, fraction)

    def leave(self) -> None:
        """One session less; after the last one nothing of ours is left in the database's memory."""
        with LOCK:
            self.n_sessions -= 1
            if not self.n_sessions:
                del _OPEN[self.token]
                unregister(self)
                self.engine.con.close()


def join(con: duckdb.DuckDBPyConnection) -> Instance:
    """The instance of a connection, which it takes over; one session more."""
    with LOCK:
        try:
            token = con.execute(f"select {INSTANCE}()").fetchall()[0][0]
        except duckdb.CatalogException:
            instance = Instance(con)
            register(instance)
            _OPEN[instance.token] = instance
        else:
            con.close()
            instance = _OPEN[token]
        instance.n_sessions += 1
        return instance

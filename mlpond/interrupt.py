"""Ctrl-C while a query runs.

DuckDB's Python client does not look at signals during a query, so Ctrl-C would wait for its end.
Python can write each signal to a socket at once, whatever the main thread does; a thread reads
from there and interrupts the query.
"""

from __future__ import annotations

import os
import signal
import socket
import threading
from contextlib import suppress
from types import FrameType, TracebackType
from typing import Self

import duckdb


class interruptible:  # noqa: N801 - a context manager, used like a function
    """While it is open, Ctrl-C interrupts the query of the connection and then Python.

    Out of the block comes KeyboardInterrupt.

    with interruptible(con) as guard:
        try:
            con.sql(...)
        except (Exception, KeyboardInterrupt) as error:
            if guard.caused(error):
                guard.settle()
    """

    def __init__(self, con: duckdb.DuckDBPyConnection) -> None:
        self.con = con
        self.was_asked = False
        self.interrupted = threading.Event()
        self.is_active = False

    def __enter__(self) -> Self:
        if threading.current_thread() is not threading.main_thread():
            return self  # signals come to the main thread alone
        self.writer, self.reader = socket.socketpair()
        self.writer.setblocking(False)
        self.previous = signal.set_wakeup_fd(self.writer.fileno(), warn_on_full_buffer=False)
        self.thread = threading.Thread(target=self._watch, name="mlpond-ctrl-c", daemon=True)
        self.thread.start()
        self.handler = signal.getsignal(signal.SIGINT)
        if callable(self.handler):
            signal.signal(signal.SIGINT, self._note)
        self.is_active = True
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self.is_active:
            if error is not None and self.caused(error):
                self.settle()
            self.is_active = False
            if callable(self.handler):
                signal.signal(signal.SIGINT, self.handler)
            signal.set_wakeup_fd(self.previous)
            self.writer.close()  # the thread reads the end and stops
            self.thread.join()
            self.reader.close()
            if error is not None and self.was_asked and _is_interrupt(error):
                raise KeyboardInterrupt from error

    def caused(self, error: BaseException) -> bool:
        """Whether an error comes from Ctrl-C; DuckDB has several for an interrupted query."""
        kinds = (KeyboardInterrupt, duckdb.InterruptException)
        return self.was_asked or self.interrupted.is_set() or isinstance(error, kinds)

    def settle(self) -> None:
        """Wait until everything that one Ctrl-C sets off has happened.

        It comes twice, as an error of the query and as KeyboardInterrupt from Python, in either
        order; after this the connection can be used again.
        """
        try:
            if self.is_active:
                self.interrupted.wait(timeout=0.5)
            os.getpid()  # any call lets Python raise what is pending
        except KeyboardInterrupt:
            if self.is_active:
                self.interrupted.wait(timeout=0.5)

    def _note(self, number: int, frame: FrameType | None) -> object:
        self.was_asked = True
        return self.handler(number, frame) if callable(self.handler) else None

    def _watch(self) -> None:
        while data := self.reader.recv(16):
            if signal.SIGINT in data:
                self.con.interrupt()
                self.interrupted.set()
            if self.previous != -1:  # an event loop listens too
                with suppress(OSError):
                    os.write(self.previous, data)


def _is_interrupt(error: BaseException) -> bool:
    """Whether an error is one of those that DuckDB's client has for an interrupted query."""
    return isinstance(error, duckdb.InterruptException) or (
        isinstance(error, RuntimeError) and str(error) == "Query interrupted"
    )

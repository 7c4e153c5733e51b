"""Ctrl-C while DuckDB works.

DuckDB looks for a signal between two pieces of work of the calling thread. While another of its
threads does all the work, the calling thread sleeps in C, and Python cannot run its handler: of
sixty queries interrupted on two cores, twenty-one went on. So a thread of ours waits for the signal
and tells DuckDB, whatever the calling thread does; Python raises KeyboardInterrupt as ever.
"""

from __future__ import annotations

import signal
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mlpond.session import Session


@contextmanager
def interruptible(pond: Session) -> Iterator[None]:
    """Stop the query that runs on the session when SIGINT arrives in this block."""
    if threading.current_thread() is not threading.main_thread():  # signals are not its business
        yield
        return
    receiver, sender = socket.socketpair()
    sender.setblocking(False)
    # Python's handler in C writes the number of each signal there, at once.
    previous = signal.set_wakeup_fd(sender.fileno(), warn_on_full_buffer=False)

    def watch() -> None:
        while numbers := receiver.recv(16):  # nothing once the sender is closed
            if signal.SIGINT in numbers:
                pond.con.interrupt()

    watcher = threading.Thread(target=watch, name="mlpond-interrupts", daemon=True)
    watcher.start()
    try:
        yield
    finally:
        signal.set_wakeup_fd(previous)
        sender.close()
        watcher.join()
        receiver.close()

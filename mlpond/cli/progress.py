"""One line on stderr that says what a long statement is doing; only in a terminal."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.cells import set_cell_size

from mlpond.cli.render import width

if TYPE_CHECKING:
    from mlpond.session import Session

QUIET_SECONDS = 0.5
"""What is done sooner than this shows no progress."""
REDRAW_SECONDS = 0.1
_ERASE = "\r\x1b[K"


class ProgressLine:
    """Overwrites one line with the latest report; ``close`` erases it."""

    def __init__(self) -> None:
        self._started = time.monotonic()
        self._drawn = 0.0
        self._visible = False

    def __call__(self, message: str, fraction: float | None) -> None:
        """Show a report, a few times a second at most."""
        now = time.monotonic()
        if now - self._started < QUIET_SECONDS or now - self._drawn < REDRAW_SECONDS:
            return
        share = "" if fraction is None else f" {fraction:.0%}"
        text = f"{message}{share}  {now - self._started:.0f} s"
        sys.stderr.write(_ERASE + set_cell_size(text, min(len(text), width(stderr=True) - 1)))
        sys.stderr.flush()
        self._drawn, self._visible = now, True

    def close(self) -> None:
        """Erase the line."""
        if self._visible:
            sys.stderr.write(_ERASE)
            sys.stderr.flush()


@contextmanager
def progress_line(pond: Session) -> Iterator[None]:
    """Show the session's reports while a statement runs."""
    if not sys.stderr.isatty():
        yield
        return
    line = ProgressLine()
    before, pond.on_progress = pond.on_progress, line
    try:
        yield
    finally:
        pond.on_progress = before
        line.close()

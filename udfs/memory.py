"""Give memory that is free again back to the system."""

from __future__ import annotations

import ctypes
from functools import cache
from typing import Any


@cache
def _malloc_trim() -> Any:
    """The function of the GNU C library; None where the library is another one."""
    try:
        return ctypes.CDLL(None).malloc_trim
    except (AttributeError, OSError, TypeError):
        return None


def give_back() -> None:
    """Return freed pages, which the C library otherwise keeps for the next arrays.

    Worth it after many arrays of less than a few MB were freed at once; it takes a millisecond.
    """
    trim = _malloc_trim()
    if trim is not None:
        trim(0)

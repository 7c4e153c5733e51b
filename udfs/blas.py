"""Keep BLAS to one thread while blocks are folded.

The blocks themselves are worked on in parallel. If OpenBLAS then splits each small product
over threads of its own, they wait for cores that the scan occupies: a QR pass over 5M × 20 rows
took 33 s instead of 2.3 s. The setting belongs to the process, so it is put back at the end.
"""

from __future__ import annotations

import ctypes
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from importlib import import_module
from typing import Any

_NAMES = (
    "scipy_openblas_{}_num_threads64_",
    "openblas_{}_num_threads64_",
    "openblas_{}_num_threads",
)
_lock = threading.Lock()
_inside = [0, 1]  # how many folds are running; what was set before the first


@cache
def _functions() -> tuple[Any, Any] | None:
    """OpenBLAS's getter and setter; None for another BLAS, which is then left as it is."""
    try:
        library = ctypes.CDLL(import_module("numpy._core._multiarray_umath").__file__)
    except (ImportError, AttributeError, OSError):
        return None
    for name in _NAMES:
        get = getattr(library, name.format("get"), None)
        put = getattr(library, name.format("set"), None)
        if get is not None and put is not None:
            return get, put
    return None


@contextmanager
def one_thread() -> Iterator[None]:
    """Within it, numpy's products run on the thread that calls them."""
    functions = _functions()
    if functions is None:
        yield
        return
    get, put = functions
    with _lock:
        if _inside[0] == 0:
            _inside[1] = int(get())
            put(1)
        _inside[0] += 1
    try:
        yield
    finally:
        with _lock:
            _inside[0] -= 1
            if _inside[0] == 0:
                put(_inside[1])

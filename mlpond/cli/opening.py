"""Open the database that a command works on."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mlpond.session import Session

MEMORY = ":memory:"
# The file of `run` and `seed`. No schema has its name, so that schema.table is not ambiguous in it.
DEFAULT = "pond.duckdb"


def open_pond(database: str | None, read_only: bool = False) -> Session:
    """Open the file, or a database in memory; a new file is announced, for it may be a typo."""
    import mlpond

    name = database or MEMORY
    path = Path(name)
    if name != MEMORY and not read_only:
        if not path.exists():
            print(f"New database {name}", file=sys.stderr)
        elif path.is_file() and not os.access(path, os.W_OK):
            print(f"{name} may not be written: opened read-only", file=sys.stderr)
            read_only = True
    return mlpond.connect(name, read_only=read_only)

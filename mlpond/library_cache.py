"""The library ready to copy: binding 300 macros takes seconds, copying them a tenth of one.

The first install on a machine also leaves a database file with nothing but the library in the
user's cache folder, named by the library's digest and DuckDB's version. Later files begin as a
copy of it; a database that is there, or in memory, gets the library by COPY FROM DATABASE. The
cache is never needed: what cannot be written or read is built.
"""

from __future__ import annotations

import os
import re
import shutil
import uuid
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import duckdb
from platformdirs import user_cache_path

from mlpond import __version__
from mlpond.engine import Engine, open_database

_ADDRESS = re.compile(r":|\w{2,}:")  # such as :memory: and md:name, which are no files
_ALIAS = "mlpond_library_cache"


def begin(database: str, digest: Callable[[], str]) -> bool:
    """Make a database that is not there yet as a copy of the file; tell whether it did."""
    path = Path(database)
    if _ADDRESS.match(database) or path.exists() or path.with_name(f"{path.name}.wal").exists():
        return False
    draft = path.with_name(f"{path.name}.{uuid.uuid4().hex}")
    try:
        shutil.copyfile(_path(digest()), draft)
        with draft.open("rb") as file:
            if file.read(12)[8:] == b"DUCK":
                os.link(draft, path)  # unlike a rename, not over a file that was made meanwhile
                return True
    except OSError:  # no file to copy, or a folder that refuses, which opening will explain
        return False
    finally:
        with suppress(OSError):
            draft.unlink(missing_ok=True)
    return False


def copy(engine: Engine, digest: str) -> bool:
    """Copy the library into a database that has no schema ml; tell whether it did."""
    from mlpond.sql.templates.quoting import identifier, string

    if engine.value(
        "select count(*) from duckdb_schemas() where schema_name = 'ml' and not internal"
    ):
        return False
    source = _path(digest)
    if not source.exists():
        return False
    target = engine.value("select current_database()")
    try:
        engine.execute(f"attach {string(str(source))} as {_ALIAS} (read_only)")
    except duckdb.Error:
        with suppress(OSError):
            source.unlink()  # not a database: the next install makes it anew
        return False
    try:
        engine.execute(f"copy from database {_ALIAS} to {identifier(target)}")
        date(engine)
    finally:
        engine.execute(f"detach {_ALIAS}")
    return True


def date(engine: Engine) -> None:
    """Let a copy say when it was made."""
    engine.execute(
        "update ml.library set duckdb_version = version(), "
        "installed_at = make_timestamp(epoch_us(current_timestamp))"
    )


def is_empty(engine: Engine) -> bool:
    """Whether a database holds nothing of a user's, so that a copy of it is the library alone."""
    counts = " + ".join(
        f"(select count(*) from duckdb_{kind}() where not internal"
        " and database_name = current_database())"
        for kind in ("tables", "views", "functions", "types", "schemas")
    )
    return bool(engine.value(f"select {counts} + (select count(*) from duckdb_sequences())") == 0)


def keep(engine: Engine, digest: str) -> None:
    """Keep a copy of a library just installed in an empty database, unless the folder refuses."""
    from mlpond.sql.templates.quoting import identifier, string

    path = _path(digest)
    with suppress(OSError, duckdb.Error):
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_name(f"{path.name}.{uuid.uuid4().hex}")
        open_database(str(draft), read_only=False, threads=None, memory_limit=None).close()
        source = engine.value("select current_database()")
        try:
            engine.execute(f"attach {string(str(draft))} as {_ALIAS}")
            try:
                engine.execute(f"copy from database {identifier(source)} to {_ALIAS}")
            finally:
                engine.execute(f"detach {_ALIAS}")
            os.replace(draft, path)
            _forget_others(path)
        finally:
            draft.unlink(missing_ok=True)


def _path(digest: str) -> Path:
    return (
        user_cache_path("mlpond")
        / f"library-{__version__}-{digest}-duckdb-{duckdb.__version__}.duckdb"
    )


def _forget_others(kept: Path) -> None:
    """Remove the libraries of other versions that have not been used for a month."""
    month = 30 * 24 * 3600
    for path in kept.parent.glob("library-*.duckdb"):
        with suppress(OSError):
            if path != kept and kept.stat().st_mtime - path.stat().st_atime > month:
                path.unlink()

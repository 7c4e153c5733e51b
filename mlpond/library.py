"""Installing the SQL library into a file: once per version, in one transaction."""

from __future__ import annotations

import hashlib
import json
import re
from functools import cache
from importlib import resources
from importlib.resources.abc import Traversable

import duckdb

from mlpond import __version__, library_cache
from mlpond.engine import Engine
from mlpond.errors import DatabaseError

_VERSION_ROW = "select version, digest from ml.library"


def ensure(engine: Engine, database: str, *, read_only: bool) -> bool:
    """Install or upgrade the library if the file lacks this version; tell whether it did.

    Raises:
        DatabaseError: the file's library is newer than this mlpond.
    """
    found = installed(engine)
    if found is not None and _key(found[0]) > _key(__version__):
        raise DatabaseError(
            f"connect: {database} was written by mlpond {found[0]}, this is mlpond {__version__}; "
            "upgrade mlpond (pip install --upgrade mlpond), or query the file in the duckdb shell."
        )
    if read_only or found == (__version__, digest()):
        return False
    if library_cache.copy(engine, digest()):
        return True
    is_empty = library_cache.is_empty(engine)
    install(engine)
    if is_empty:
        library_cache.keep(engine, digest())
    return True


def installed(engine: Engine) -> tuple[str, str] | None:
    """Return (version, digest) of the library in the file, or None."""
    try:
        rows = engine.rows(_VERSION_ROW)
    except duckdb.CatalogException:
        return None
    return (rows[0][0], rows[0][1]) if rows else None


def install(engine: Engine) -> None:
    """Install the library: tables that are missing, and every macro anew.

    Raises:
        TemplateError: DuckDB refused a template; says which, where, and shows the excerpt.
    """
    from mlpond.sql.templates.installer import statements
    from mlpond.sql.templates.renderer import refusal

    with engine.transaction():
        engine.execute("create schema if not exists ml")
        for path, sql in statements():
            try:
                engine.execute(sql)
            except duckdb.Error as error:
                raise refusal(path, sql, error) from error
        if engine.value("select count(*) from ml.models"):
            from mlpond.models.inference import refuse_older

            refuse_older(engine)
        engine.execute("delete from ml.library")
        engine.execute(
            "insert into ml.library (version, digest, duckdb_version, installed_at) "
            "values (?, ?, version(), make_timestamp(epoch_us(current_timestamp)))",
            [__version__, digest()],
        )


@cache
def digest() -> str:
    """Return a fingerprint of everything that the library installs."""
    found = hashlib.sha256()
    for name, text in sorted(_files(resources.files("mlpond.sql"), "")):
        found.update(json.dumps([name, text]).encode())
    return found.hexdigest()[:16]


def _files(folder: Traversable, prefix: str) -> list[tuple[str, str]]:
    files = []
    for entry in folder.iterdir():
        if entry.is_dir() and not entry.name.startswith(("_", ".")):
            files += _files(entry, f"{prefix}{entry.name}/")
        elif entry.name.endswith((".sql", ".j2", ".py")):  # the renderer has its part in it
            files.append((prefix + entry.name, entry.read_text(encoding="utf-8")))
    return files


def _key(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", version)[:3])

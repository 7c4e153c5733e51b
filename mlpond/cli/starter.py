"""``mlpond init``: copy the starter pipeline under the user's name."""

from __future__ import annotations

import re
import shlex
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path

from mlpond.cli.opening import DEFAULT
from mlpond.errors import InputError

# Schemas of DuckDB, of mlpond, and of the default file: a pipeline named so could not be read.
TAKEN = ("main", "ml", "temp", "system", "pg_catalog", "information_schema", Path(DEFAULT).stem)


def init_command(folder: Path) -> None:
    """Write the starter's files into a new or empty folder."""
    name = folder.resolve().name
    if name.lower() in TAKEN:
        raise InputError(
            f"init: a pipeline's tables are in a schema of its name, and {name!r} is taken; "
            "choose another name."
        )
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise InputError(f"init: {folder} exists and is not an empty folder; choose another name.")
    schema = _identifier(name)
    written = [
        _copy(source, folder / path, name, schema)
        for path, source in _files(resources.files("mlpond.cli") / "starter", "")
    ]
    place = "" if folder.resolve() == Path.cwd() else f"  cd {folder}\n"
    print(
        f"Made {len(written)} files in {folder}. README.md there says what each is.\n\n"
        f"{place}  mlpond run .\n"
        f"  mlpond sql {shlex.quote(f'FROM {schema}.mistakes')} --db {DEFAULT}"
    )


def _files(folder: Traversable, prefix: str) -> list[tuple[str, Traversable]]:
    found: list[tuple[str, Traversable]] = []
    for entry in sorted(folder.iterdir(), key=lambda entry: entry.name):
        if entry.is_dir():
            found += _files(entry, f"{prefix}{entry.name}/")
        else:
            found.append((prefix + entry.name, entry))
    return found


def _copy(source: Traversable, target: Path, name: str, schema: str) -> Path:
    """Copy a file; the schema stands in it as SQL, in a SQL string, and as a plain name."""
    text = source.read_text(encoding="utf-8")
    text = text.replace("__pipeline_text__", schema.replace("'", "''"))
    if target.suffix == ".toml":
        schema = schema.replace("\\", "\\\\").replace('"', '\\"')
    text = text.replace("__pipeline__", schema).replace("__name__", name)
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(text, encoding="utf-8")
    return target


def _identifier(name: str) -> str:
    """The name as SQL needs it, quoted unless it is a plain word that means nothing else."""
    import duckdb

    with duckdb.connect() as con:
        keyword = con.execute("from duckdb_keywords() where keyword_name = ?", [name.lower()])
        if re.fullmatch(r"[a-z_][a-z0-9_]*", name) and not keyword.fetchall():
            return name
    return '"' + name.replace('"', '""') + '"'

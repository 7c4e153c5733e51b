"""Load a seed into a database: load(pond, "penguins") returns {"penguins": 344}."""

from __future__ import annotations

import hashlib
import tomllib
from contextlib import AbstractContextManager
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any, Protocol

import duckdb

from mlpond.errors import InputError
from mlpond.sql.templates.quoting import identifier, literal, string


class Pond(Protocol):
    """The part of mlpond.Session that loading needs."""

    @property
    def con(self) -> duckdb.DuckDBPyConnection:
        """The DuckDB connection."""

    def transaction(self) -> AbstractContextManager[Any]:
        """BEGIN, then COMMIT or ROLLBACK; joins an open transaction."""


@dataclass(frozen=True)
class Seed:
    """Tables that come with mlpond, and where they go."""

    name: str
    description: str
    licence: str
    source: str
    schema: str
    tables: dict[str, Path]
    types: dict[str, dict[str, str]]
    """Of a table read from CSV, the types of columns that reading alone would not give."""

    @property
    def fingerprint(self) -> str:
        """A hash of the data files and the types given."""
        digest = hashlib.sha256(repr(sorted(self.types.items())).encode() if self.types else b"")
        for name, path in self.tables.items():
            digest.update(f"{name}:{path.stat().st_size}:".encode())
            digest.update(path.read_bytes())
        return digest.hexdigest()


def list_seeds() -> dict[str, Seed]:
    """Every seed by name."""
    root = Path(str(resources.files("mlpond.seeds")))
    return {path.parent.name: _read(path) for path in sorted(root.glob("*/seed.toml"))}


def find_seed(name: str) -> Seed:
    """The seed of that name."""
    seeds = list_seeds()
    if name not in seeds:
        raise InputError(f"seed: there is no seed {name!r}; there are: {', '.join(seeds)}.")
    return seeds[name]


def load(pond: Pond, name: str, schema: str | None = None) -> dict[str, int]:
    """Load every table of a seed in one transaction, in place of what is there.

    Args:
        pond: The session.
        name: The seed.
        schema: Where the tables go; the seed says it if this does not.

    Returns:
        The rows of each table.
    """
    seed = find_seed(name)
    with pond.transaction():
        # the file may be called like the schema, and then the schema alone is ambiguous
        catalog = pond.con.execute("select current_database()").fetchall()[0][0]
        target = f"{identifier(catalog)}.{identifier(schema or seed.schema)}"
        pond.con.execute(f"create schema if not exists {target}")
        rows = {}
        for table, path in seed.tables.items():
            relation = f"{target}.{identifier(table)}"
            rows_of = _reader(path, seed.types.get(table, {}), target)
            pond.con.execute(f"create or replace table {relation} as from {rows_of}")
            rows[table] = pond.con.execute(f"select count(*) from {relation}").fetchall()[0][0]
    return rows


def _read(path: Path) -> Seed:
    toml = tomllib.loads(path.read_text(encoding="utf-8"))
    folder = path.parent
    tables = {table: folder / file for table, file in toml["tables"].items()}
    return Seed(
        folder.name,
        toml["description"],
        toml["licence"],
        toml["source"],
        toml.get("schema", "main"),
        tables,
        toml.get("types", {}),
    )


def _reader(path: Path, types: dict[str, str], schema: str) -> str:
    if path.suffix == ".sql":  # a generated table; it may read those before it in the schema
        query = path.read_text(encoding="utf-8").replace("{{ schema }}", schema)
        return f"({query}\n)"
    text = string(str(path))
    if path.suffix == ".csv":
        given = f", types = {literal(types)}" if types else ""
        # NA is how R writes a missing value
        return f"read_csv({text}, nullstr = ['NA', ''], header = true{given})"
    return f"read_parquet({text})"

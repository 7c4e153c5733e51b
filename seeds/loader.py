"""Load a seed into a database: load(pond, "penguins") returns {"penguins": 344}."""

from __future__ import annotations

import hashlib
import math
import tomllib
import zlib
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from importlib import resources
from numbers import Real
from pathlib import Path
from typing import Any, Protocol

import duckdb
import jinja2

from mlpond.errors import InputError
from mlpond.sql.templates.quoting import double, identifier, literal, string
from mlpond.sql.templates.renderer import unknown


class Pond(Protocol):
    """The part of mlpond.Session that loading needs."""

    @property
    def con(self) -> duckdb.DuckDBPyConnection:
        """The DuckDB connection."""

    def transaction(self) -> AbstractContextManager[Any]:
        """BEGIN, then COMMIT or ROLLBACK; joins an open transaction."""

    def report(self, message: str, fraction: float | None = None) -> None:
        """Tell whoever watches how far the work is."""


@dataclass(frozen=True)
class Stretches:
    """How a generated seed of any size is made in bounded memory: a stretch of units at a time."""

    per_scale: int
    """Units, such as customers, at scale 1."""
    size: int
    tables: tuple[str, ...]

    def units(self, scale: float) -> int:
        """How many there are at a scale; at least one."""
        return max(1, round(self.per_scale * scale))

    def bounds(self, scale: float) -> list[tuple[int, int]]:
        """First and last unit of each stretch."""
        units = self.units(scale)
        return [
            (start, min(start + self.size - 1, units)) for start in range(1, units + 1, self.size)
        ]


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
    parameters: dict[str, float] = field(default_factory=dict)
    """What the queries of a generated seed may be told, such as its scale, and the defaults."""
    stretches: Stretches | None = None

    @property
    def fingerprint(self) -> str:
        """A hash of the data files, what they share and the types given."""
        digest = hashlib.sha256(repr(sorted(self.types.items())).encode() if self.types else b"")
        files = dict(self.tables)
        if self.parameters:
            folder = next(iter(self.tables.values())).parent
            files |= {path.name: path for path in sorted(folder.glob("*.j2"))}
            digest.update(repr((sorted(self.parameters.items()), self.stretches)).encode())
        for name, path in files.items():
            digest.update(f"{name}:{path.stat().st_size}:".encode())
            digest.update(path.read_bytes())
        return digest.hexdigest()

    def given(self, **parameters: float) -> dict[str, float]:
        """The parameters, with the defaults of those that are not given; checked."""
        for name, value in parameters.items():
            if name not in self.parameters:
                known = ", ".join(self.parameters) or "none"
                raise InputError(
                    f"seed {self.name}: there is no parameter {name!r}; it has {known}."
                )
            is_number = isinstance(value, Real) and not isinstance(value, bool)
            if isinstance(self.parameters[name], int):
                if not (is_number and abs(value) < 2**31 and value == int(value)):
                    raise InputError(
                        f"seed {self.name}: {name} is {value!r}; it must be a whole number between "
                        "-2147483647 and 2147483647."
                    )
            elif not (is_number and math.isfinite(value) and value > 0):
                raise InputError(
                    f"seed {self.name}: {name} is {value!r}; it must be a number greater than 0."
                )
        return self.parameters | parameters


def list_seeds() -> dict[str, Seed]:
    """Every seed by name."""
    root = Path(str(resources.files("mlpond.seeds")))
    return {path.parent.name: _read(path) for path in sorted(root.glob("*/seed.toml"))}


def find_seed(name: str) -> Seed:
    """The seed of that name."""
    seeds = list_seeds()
    if name not in seeds:
        raise InputError(unknown("seed", name, list(seeds)))
    return seeds[name]


def load(pond: Pond, name: str, schema: str | None = None, **parameters: float) -> dict[str, int]:
    """Load every table of a seed in one transaction, in place of what is there.

    Args:
        pond: The session.
        name: The seed.
        schema: Where the tables go; the seed says it if this does not.
        **parameters: Those of a generated seed, such as ``scale=0.05, seed=7`` of the shop.

    Returns:
        The rows of each table.
    """
    seed = find_seed(name)
    values = seed.given(**parameters)
    with pond.transaction():
        catalog = pond.con.execute("select current_database()").fetchall()[0][0]
        refuse_same_name(catalog, schema or seed.schema, f"seed {name}")
        target = f"{identifier(catalog)}.{identifier(schema or seed.schema)}"
        pond.con.execute(f"create schema if not exists {target}")
        for table, statement, fraction in statements(seed, target, values):
            pond.report(f"seed {name}: {table}", fraction)
            pond.con.execute(statement)
        rows = {}
        for table in seed.tables:
            counted = f"select count(*) from {target}.{identifier(table)}"
            rows[table] = pond.con.execute(counted).fetchall()[0][0]
    return rows


def refuse_same_name(database: str, schema: str, who: str) -> None:
    """Raise if the tables would be in a schema of the database's name, which is that of its file.

    DuckDB takes shop.events for ambiguous then, and views cannot read what is named in full (2.0).
    """
    if database.casefold() == schema.casefold() != "main":
        raise InputError(
            f"{who}: its tables go into a schema {schema}, but the database is called {database} "
            "as well, after its file, and DuckDB cannot tell the two apart; choose a file of "
            "another name, such as pond.duckdb."
        )


def statements(
    seed: Seed, schema: str, values: dict[str, float] | None = None
) -> Iterator[tuple[str, str, float | None]]:
    """What loads a seed into a schema (quoted): table, statement, and the share that is done."""
    values = values or seed.parameters
    context: dict[str, Any] = {**values, "schema": schema}
    if seed.stretches is not None:
        context["units"] = seed.stretches.units(values["scale"])
    queries = _queries(next(iter(seed.tables.values())).parent, context)
    for position, (table, path) in enumerate(seed.tables.items()):
        relation = f"{schema}.{identifier(table)}"
        done = position / len(seed.tables)
        if path.suffix != ".sql":
            rows_of = _reader(path, seed.types.get(table, {}))
            yield table, f"create or replace table {relation} as from {rows_of}", done
            continue
        bounds = [(0, 0)]
        if seed.stretches is not None and table in seed.stretches.tables:
            bounds = seed.stretches.bounds(values["scale"])
        for number, (first, last) in enumerate(bounds):
            query = queries.get_template(path.name).render(first=first, last=last)
            into = f"insert into {relation}" if number else f"create or replace table {relation} as"
            yield table, f"{into} {query}", done + number / len(bounds) / len(seed.tables)


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
        toml.get("parameters", {}),
        Stretches(**toml["stretches"]) if "stretches" in toml else None,
    )


def _queries(folder: Path, context: dict[str, Any]) -> jinja2.Environment:
    """The queries of generated tables; each may read those before it in the schema."""
    loader = jinja2.FileSystemLoader(folder)
    environment = jinja2.Environment(
        loader=loader, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters["double"] = double

    def stream(name: str) -> int:
        """The seed of ml.random_uniform for one kind of draw; another for every name."""
        return (int(context["seed"]) << 32) + zlib.crc32(name.encode())

    environment.globals |= context | {"stream": stream}
    return environment


def _reader(path: Path, types: dict[str, str]) -> str:
    text = string(str(path))
    if path.suffix == ".csv":
        given = f", types = {literal(types)}" if types else ""
        # NA is how R writes a missing value
        return f"read_csv({text}, nullstr = ['NA', ''], header = true{given})"
    return f"read_parquet({text})"

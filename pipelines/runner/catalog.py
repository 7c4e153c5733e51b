"""What is in the database: which relations and models exist, and what tables hold."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

import duckdb

from mlpond.errors import InputError
from mlpond.pipelines.runner.names import quote
from mlpond.pipelines.runner.protocol import Pond
from mlpond.sql.templates.quoting import join_parts, name_parts, string

_FILE = re.compile(r"[/\\*]|\.(csv|tsv|parquet|json|ndjson|jsonl)(\.gz|\.zst)?$", re.IGNORECASE)

_MARK = "made by mlpond as a step of pipeline "


class Catalog:
    """The relations of one database, seen from one pipeline.

    Attributes:
        name: That of the database.
        schema: Where the relations of the pipeline are; SQL finds them as pipeline.name.
    """

    def __init__(self, pond: Pond, pipeline: str, relations: Iterable[str] = ()) -> None:
        self.con = pond.con
        row = self.con.execute("select current_database()").fetchall()[0]
        self.name: str = row[0]
        self.pipeline = pipeline
        self.schema = self._place(relations)

    def _place(self, relations: Iterable[str]) -> str:
        """Return the schema in which DuckDB finds a relation as pipeline.name.

        It is that of the pipeline; but in a database of its name, which is that of the file, it is
        main: in flights.duckdb, flights.features is table features of the database flights.

        Raises:
            InputError: there is a schema of the name beside it, so that pipeline.name is ambiguous,
                or main has a relation of one of these names that is somebody else's.
        """
        if self.name.casefold() != self.pipeline.casefold() or self.pipeline == "main":
            return self.pipeline
        who = f"pipeline {self.pipeline}: the database is called {self.name}, after its file, and"
        beside = "choose a file of another name, such as pond.duckdb."
        if self.con.execute(
            "select 1 from duckdb_schemas() "
            "where database_name = $1 and lower(schema_name) = lower($2)",
            [self.name, self.pipeline],
        ).fetchall():
            raise InputError(
                f"{who} has a schema {self.pipeline}, and DuckDB cannot tell the two apart; "
                + beside
            )
        others = self.con.execute(
            """
            select name
            from (
                select database_name, schema_name, table_name as name, comment from duckdb_tables()
                union all
                select database_name, schema_name, view_name, comment from duckdb_views()
            )
            where database_name = $1 and schema_name = 'main' and list_contains($2, lower(name))
                and comment is distinct from $3
            order by name
            """,
            [self.name, [name.lower() for name in relations], _MARK + self.pipeline],
        ).fetchall()
        if others:
            raise InputError(
                f"{who} its tables go into schema main there, which has another {others[0][0]}; "
                + beside
            )
        return "main"

    def relation(self, name: str) -> str:
        """The full, quoted name of a relation in the pipeline's schema."""
        return quote(self.name, self.schema, name)

    def claim(self, name: str, kind: str) -> None:
        """Say of a relation whose it is, where others' may stand beside it."""
        if self.schema != self.pipeline:
            mark = string(_MARK + self.pipeline)
            self.con.execute(f"comment on {kind} {self.relation(name)} is {mark}").fetchall()

    def kind(self, schema: str, name: str) -> str | None:
        """Either table or view, or None if there is no such relation."""
        rows = self.con.execute(
            """
            select table_type from information_schema.tables
            where lower(table_catalog) = lower(?) and lower(table_schema) = lower(?)
                and lower(table_name) = lower(?)
            """,
            [self.name, schema, name],
        ).fetchall()
        if not rows:
            return None
        return "view" if rows[0][0] == "VIEW" else "table"

    def has_model(self, name: str) -> bool:
        """Whether a model of that name is in the database."""
        if self.kind("ml", "models") is None:
            return False
        rows = self.con.execute(
            f"select 1 from {quote(self.name, 'ml', 'models')} where lower(name) = lower(?)",
            [name],
        ).fetchall()
        return bool(rows)

    def model_version(self, name: str) -> str:
        """The newest version of a model that no step of the pipeline trains."""
        rows = self.con.execute(
            f"select max(version)::varchar from {quote(self.name, 'ml', 'models')} "
            "where lower(name) = lower(?)",
            [name],
        ).fetchall()
        return str(rows[0][0])

    def training_rows(self, name: str) -> int:
        """The rows from which the newest version of a model was trained."""
        rows = self.con.execute(
            f"select arg_max(training_rows, version) from {quote(self.name, 'ml', 'models')} "
            "where lower(name) = lower(?)",
            [name],
        ).fetchall()
        return int(rows[0][0])

    def relations(self) -> list[str]:
        """Every relation as schema.name, those of schema main also without it; for suggestions."""
        rows = self.con.execute(
            """
            select table_schema, table_name from information_schema.tables
            where lower(table_catalog) = lower(?) and table_schema <> 'ml'
            """,
            [self.name],
        ).fetchall()
        return [join_parts([name] if schema == "main" else [schema, name]) for schema, name in rows]

    def find(self, reference: str) -> str | None:
        """The quoted name under which DuckDB finds a relation or file, or None."""
        name = quote(*name_parts(reference))
        try:
            self.con.execute(f"describe select * from {name}").fetchall()
        except (duckdb.CatalogException, duckdb.BinderException, duckdb.IOException):
            return None
        return name

    def fingerprint(self, reference: str) -> str:
        """What identifies the contents: of a file path, size and time, of a table a hash."""
        parts = name_parts(reference)
        if len(parts) == 1 and _FILE.search(parts[0]):
            return _of_files(parts[0])
        found = self.find(reference)
        if found is None:
            return "missing"
        # a sum, for rows have no order; as HUGEINT, for 2⁶⁴ times the rows does not fit in less
        rows = self.con.execute(
            f"select count(*), sum(hash(source)::hugeint)::varchar from {found} as source"
        ).fetchall()
        count, total = rows[0]
        return f"{count}:{total}"


def _of_files(pattern: str) -> str:
    is_glob = any(sign in pattern for sign in "*?[")
    files = sorted(Path().glob(pattern)) if is_glob and not Path(pattern).is_absolute() else []
    if is_glob and Path(pattern).is_absolute():
        anchor = Path(Path(pattern).anchor)
        files = sorted(anchor.glob(str(Path(pattern).relative_to(anchor))))
    elif not is_glob:
        files = [Path(pattern)]
    facts = []
    for path in files:
        if path.is_file():
            stat = path.stat()
            facts.append(f"{path.resolve()}:{stat.st_size}:{stat.st_mtime_ns}")
    # a URL or another address that is no local file is never known to be unchanged
    return "|".join(facts) or "not a local file"

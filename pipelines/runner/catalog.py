"""What is in the database: which relations and models exist, and what tables hold."""

from __future__ import annotations

import re
from pathlib import Path

import duckdb

from mlpond.pipelines.runner.names import quote
from mlpond.pipelines.runner.protocol import Pond
from mlpond.sql.templates.quoting import join_parts, name_parts

_FILE = re.compile(r"[/\\*]|\.(csv|tsv|parquet|json|ndjson|jsonl)(\.gz|\.zst)?$", re.IGNORECASE)


class Catalog:
    """The relations of one database, seen from one pipeline's schema."""

    def __init__(self, pond: Pond, schema: str) -> None:
        self.con = pond.con
        row = self.con.execute("select current_database()").fetchall()[0]
        self.name: str = row[0]
        self.schema = schema

    def relation(self, name: str) -> str:
        """The full, quoted name of a relation in the pipeline's schema."""
        return quote(self.name, self.schema, name)

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

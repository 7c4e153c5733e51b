"""The one place that runs SQL and the one place that streams rows.

Nothing else in mlpond touches a DuckDB connection.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb

from mlpond.errors import DatabaseError

if TYPE_CHECKING:
    import pyarrow as pa

# Half a row group of DuckDB's: larger buffers come fresh from the system for every batch, and
# clearing their pages took as long as filling them.
BATCH_ROWS = 61_440


class Engine:
    """Runs SQL on one DuckDB connection."""

    def __init__(self, con: duckdb.DuckDBPyConnection) -> None:
        self.con = con

    def execute(self, sql: str, params: object = None) -> None:
        """Run statements whose result nobody needs."""
        self.con.execute(sql, params).fetchall()

    def rows(self, sql: str, params: object = None) -> list[tuple[Any, ...]]:
        """Run a query and return all its rows; for small results."""
        return self.con.execute(sql, params).fetchall()

    def row(self, sql: str, params: object = None) -> tuple[Any, ...]:
        """Run a query and return its first row."""
        return self.rows(sql, params)[0]

    def value(self, sql: str, params: object = None) -> Any:
        """Run a query and return the first value of its first row."""
        return self.row(sql, params)[0]

    def record(self, sql: str) -> dict[str, Any]:
        """Run a query and return its first row by the names of its columns."""
        cursor = self.con.execute(sql)
        names = [column[0] for column in cursor.description or ()]
        return dict(zip(names, cursor.fetchall()[0], strict=True))

    @contextmanager
    def on_cursor(self) -> Iterator[Engine]:
        """Work beside a query that the connection is in; a cursor sees what is committed."""
        cursor = Engine(self.con.cursor())
        try:
            yield cursor
        finally:
            cursor.con.close()

    @contextmanager
    def if_alive(self) -> Iterator[None]:
        """Run a block that tidies up; where the transaction is lost, there is nothing to tidy."""
        with suppress(duckdb.TransactionException):
            yield

    @contextmanager
    def stream(
        self, query: str, batch_rows: int = BATCH_ROWS
    ) -> Iterator[Iterator[pa.RecordBatch]]:
        """Stream the rows of a query as Arrow batches; the connection is taken until the end."""
        reader = self.con.sql(query).to_arrow_reader(batch_rows)
        try:
            yield iter(reader)
        finally:
            reader.close()

    def drop_quietly(self, table: str) -> None:
        """Drop a table of ours; after a failure its transaction may have dropped it already."""
        with suppress(duckdb.Error):
            self.execute(f"drop table if exists {table}")

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Run a block in one transaction; join the transaction that is open already, if any."""
        if self.in_transaction():
            yield
            return
        self.con.begin()
        try:
            yield
        except BaseException:
            self._roll_back()
            raise
        self.con.commit()

    def in_transaction(self) -> bool:
        """Tell whether a transaction is open: then two statements have the same number."""
        # BEGIN would tell as well, but inside a transaction its failure aborts the transaction
        return bool(self.value("select txid_current()") == self.value("select txid_current()"))

    def _roll_back(self) -> None:
        with suppress(duckdb.TransactionException):  # DuckDB may have rolled back by itself
            self.con.rollback()


def open_database(
    database: str, *, read_only: bool, threads: int | None, memory_limit: str | None
) -> duckdb.DuckDBPyConnection:
    """Open a DuckDB file, or memory, so that a 1.5 shell can open it too.

    Raises:
        DatabaseError: the file is locked, missing, not writable, or not a DuckDB file.
    """
    config: dict[str, Any] = {}
    if threads is not None:
        config["threads"] = threads
    if memory_limit is not None:
        config["memory_limit"] = memory_limit
    path = Path(database)
    is_new = database != ":memory:" and (not path.exists() or path.stat().st_size == 0)
    if is_new and read_only:
        raise DatabaseError(
            f"connect: {database} does not exist, and read_only=True makes no file; "
            "give the path of an existing file or leave read_only out."
        )
    try:
        if is_new:  # stays in the file; as a setting of the process it would keep others out
            storage = {"storage_compatibility_version": "v1.5.0"}
            duckdb.connect(database, config=config | storage).close()
        return duckdb.connect(database, read_only=read_only, config=config)
    except (duckdb.IOException, duckdb.BinderException, duckdb.ConnectionException) as error:
        raise DatabaseError(_explain(database, str(error))) from error
    except (duckdb.InvalidInputException, duckdb.CatalogException, duckdb.ParserException) as error:
        raise DatabaseError(
            f"connect: DuckDB refused the settings threads={threads!r}, "
            f"memory_limit={memory_limit!r}: {_first_line(error)}"
        ) from error


def _explain(database: str, message: str) -> str:
    if "Could not set lock" in message or "Conflicting lock" in message:
        holder = re.search(r"held in (.*?)(?:\. See|\.$|$)", message, re.DOTALL)
        who = holder.group(1).strip() if holder else "another process"
        return (
            f"connect: {database} is open for writing in {who}. "
            "Close it there, or wait; several processes can share the file with read_only=True."
        )
    if "different configuration" in message:
        return (
            f"connect: {database} is open in this process already, by another session or a plain "
            "duckdb.connect, with other settings (read_only, threads or memory_limit); use the "
            "same, or close it first."
        )
    if (
        "Permission denied" in message
        or "Read-only file system" in message
        or "read-only" in message
    ):
        return (
            f"connect: {database} cannot be opened for writing ({message.splitlines()[0]}). "
            "Use read_only=True, or make the file and its folder writable."
        )
    if "not a valid DuckDB database file" in message:
        return f"connect: {database} is not a DuckDB database file; choose another path."
    return f"connect: {database} cannot be opened: {message.splitlines()[0]}"


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0]

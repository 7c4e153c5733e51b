"""The session: a DuckDB connection that also understands model statements."""

from __future__ import annotations

import os
import weakref
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

import duckdb

from mlpond import instance, library, library_cache
from mlpond.engine import Engine, open_database
from mlpond.errors import InputError, MlpondError, StatementError
from mlpond.interrupt import interruptible

if TYPE_CHECKING:
    from mlpond.lineage import References
    from mlpond.models.neighbors import Searches
    from mlpond.pipelines.runner import RunResult
    from mlpond.reports.write import Written

# What DuckDB says where a model, and so its function, does not exist.
MISSING_FUNCTION = "Table Function with name"

Progress = Callable[[str, float | None], None]


def connect(
    database: str | os.PathLike[str] = ":memory:",
    *,
    read_only: bool = False,
    threads: int | None = None,
    memory_limit: str | None = None,
) -> Session:
    """Open a database file (or memory) and install the SQL library in it if it is not there.

    Args:
        database: Path of the file; made if missing. ":memory:" keeps everything in memory.
        read_only: Open without writing anything; functions of a file that has them work.
        threads: Threads for DuckDB and for training; all cores by default.
        memory_limit: Memory for DuckDB, such as "1GB"; 80 % of the machine's by default.

    Raises:
        DatabaseError: the file is locked, unreadable, or from a newer mlpond.
        InputError: a setting is out of range.
    """
    if threads is not None and (isinstance(threads, bool) or threads < 1):
        raise InputError(f"connect: threads is {threads!r}; it must be an integer of at least 1.")
    path = os.fspath(database)
    with instance.LOCK:
        is_made = not read_only and library_cache.begin(path, library.digest)
        try:
            con = open_database(
                path, read_only=read_only, threads=threads, memory_limit=memory_limit
            )
        except BaseException:
            if is_made:
                os.unlink(path)
            raise
        try:
            session = Session(con, path, read_only=read_only)
        except BaseException:
            con.close()
            raise
        try:
            if is_made:
                library_cache.date(session.engine)
            library.ensure(session.engine, path, read_only=read_only and path != ":memory:")
        except BaseException:
            session.close()
            raise
    return session


def run(
    pipeline: str | os.PathLike[str],
    *,
    database: str | os.PathLike[str] = "pond.duckdb",
    params: Mapping[str, Any] | None = None,
    select: str | None = None,
    full_refresh: bool = False,
) -> RunResult:
    """Run a pipeline in a database file and close the file again.

    Args:
        pipeline: Name of a built-in pipeline, or path of a pipeline's folder.
        database: Path of the file. If it has the pipeline's name, the tables go into schema main,
            where DuckDB finds them as ``flights.features`` as well.
        params: Values for the pipeline's parameters.
        select: Steps to run, such as "features+".
        full_refresh: Run every step even if nothing changed.
    """
    with connect(database) as pond:
        return pond.run(pipeline, params=params, select=select, full_refresh=full_refresh)


class Session:
    """A DuckDB connection with mlpond's functions, model statements and pipelines."""

    def __init__(
        self, con: duckdb.DuckDBPyConnection, database: str, *, read_only: bool = False
    ) -> None:
        self.instance = instance.join(con)
        self._leave = weakref.finalize(self, self.instance.leave)
        self.engine = Engine(self.instance.cursor())
        self.database = database
        self.read_only = read_only
        self.on_progress: Progress | None = None
        self.instance.sessions.add(self)

    @property
    def searches(self) -> Searches:
        """The points of nearest-neighbour models that are held in memory."""
        return self.instance.searches

    @property
    def con(self) -> duckdb.DuckDBPyConnection:
        """The DuckDB connection."""
        return self.engine.con

    def sql(
        self, query: str, params: Mapping[str, Any] | list[Any] | None = None
    ) -> duckdb.DuckDBPyRelation | None:
        """Run DuckDB SQL and model statements; several are parted by semicolons.

        Args:
            query: The text. What is not a model statement reaches DuckDB byte for byte.
            params: Values for the placeholders of DuckDB statements.

        Returns:
            The last statement's relation, or None if it was not a query.

        Raises:
            MlpondError: a model statement is wrong or failed.
            duckdb.Error: DuckDB refused a statement.
        """
        from mlpond.sql.dialect import Plain, mentions_models, read_statements

        if not mentions_models(query):
            return self._plain(query, params)
        try:
            statements = read_statements(query)
        except StatementError as error:
            if "MODEL" not in query.upper() and not str(error).startswith("ML."):
                return self._plain(query, params)
            raise
        result: duckdb.DuckDBPyRelation | None = None
        for statement in statements:
            if isinstance(statement, Plain):
                text = self._learnt(statement.text)
                try:
                    result = self._plain(text, params)
                except (duckdb.BinderException, duckdb.CatalogException):
                    from mlpond.models.preprocessing.queries import explain_call

                    explain_call(self.engine, query)
                    raise
            else:
                from mlpond.models.execute import execute

                if self.read_only:
                    raise MlpondError(
                        f"sql: {self.database} is open read-only, so models cannot be made, "
                        "changed or dropped; connect without read_only=True."
                    )
                with interruptible(self.con):
                    execute(self, statement)
                result = None
        return result

    def _learnt(self, text: str) -> str:
        """Put what preprocessing functions learn from the rows of a query into it."""
        from mlpond.sql.dialect.preprocessing import OF_SESSIONS

        if not any(f".{name}" in text.upper() for name in OF_SESSIONS):
            return text
        from mlpond.models.preprocessing.queries import learn_in_query

        return learn_in_query(self.engine, text)

    def _plain(self, text: str, params: object) -> duckdb.DuckDBPyRelation | None:
        try:
            result = self.con.sql(text) if params is None else self.con.sql(text, params=params)
        except duckdb.CatalogException as error:
            if MISSING_FUNCTION in str(error):
                from mlpond.models.missing import explain_missing

                explain_missing(self.engine, str(error))
            raise
        except duckdb.BinderException as error:
            from mlpond.models.missing import explain_column

            explain_column(self.engine, text, str(error))
            raise
        # DuckDB answers CREATE TABLE AS, INSERT and so on with the number of rows
        if result is not None and result.columns == ["Count"]:
            last = duckdb.extract_statements(text)[-1]
            if last.type not in (duckdb.StatementType.SELECT, duckdb.StatementType.RELATION):
                return None
        return result

    def run(
        self,
        pipeline: str | os.PathLike[str],
        params: Mapping[str, Any] | None = None,
        select: str | None = None,
        full_refresh: bool = False,
    ) -> RunResult:
        """Run a pipeline in this database; see ``mlpond.run``."""
        from mlpond.pipelines.runner import run_pipeline

        return run_pipeline(
            self, os.fspath(pipeline), params=params, select=select, full_refresh=full_refresh
        )

    def write_report(
        self,
        pipeline: str | os.PathLike[str],
        out: str | os.PathLike[str] | None = None,
        overwrite: bool = False,
    ) -> Written:
        """Write an HTML page of what a pipeline has made in this database; see ``mlpond.report``.

        It is not called ``report``: that is how work in progress speaks to ``on_progress``.
        """
        from mlpond.reports.write import write_report

        return write_report(self, pipeline, out, overwrite=overwrite)

    def render(
        self, text: str, values: Mapping[str, Any], fragments: Mapping[str, str] | None = None
    ) -> str:
        """Render Jinja text with values, each quoted as SQL by its Python type.

        Args:
            text: The text.
            values: What it may ask for.
            fragments: Texts by name that it may import or include.

        Raises:
            TemplateError: the text asks for a value that is not among those given.
        """
        from mlpond.sql.templates.quoting import literal
        from mlpond.sql.templates.renderer import Raw, render_text

        quoted = {name: Raw(literal(value)) for name, value in values.items()}
        return render_text(text, quoted, "of the pipeline", fragments)

    def references(self, statement: str) -> References:
        """Tell which relations and models a statement reads, and which model it makes."""
        from mlpond.lineage import references

        return references(statement)

    def interruptible(self) -> AbstractContextManager[Any]:
        """Let Ctrl-C end the queries of a block at once: ``with pond.interruptible(): …``.

        DuckDB's client does not look at signals, so that without it a query goes on to its end.
        Training and pipelines need no block.
        """
        return interruptible(self.con)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Run a block in one transaction, or in the one that is open already."""
        with self.engine.transaction():
            yield

    def report(self, message: str, fraction: float | None = None) -> None:
        """Tell whoever watches how far a long piece of work is."""
        if self.on_progress is not None:
            self.on_progress(message, fraction)

    def close(self) -> None:
        """Close the connection; other sessions of the file go on."""
        self.con.close()
        self.instance.sessions.discard(self)
        self._leave()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"mlpond.Session({self.database!r})"

"""``mlpond sql``: run statements and print what they return."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from mlpond.cli.opening import open_pond
from mlpond.cli.progress import progress_line
from mlpond.interrupt import interruptible
from mlpond.sql.script import statements

if TYPE_CHECKING:
    from mlpond.session import Session


def query_command(
    query: str | None, file: Path | None, database: str | None, format: str, read_only: bool
) -> None:
    """Run the statements of the argument, a file or stdin, in order, up to the first error."""
    script = statements(_script(query, file))
    if not script:
        raise typer.BadParameter("there is no statement in it.", param_hint="QUERY")
    with open_pond(database, read_only) as pond:
        for statement in script:
            print_result(pond, statement, format)


def print_result(pond: Session, statement: str, format: str) -> bool:
    """Run one statement and print its rows, if it returns any; tell whether it does."""
    with progress_line(pond), interruptible(pond.con):
        relation = pond.sql(statement)
        if relation is None or relation.columns == ["Success"]:  # the answer to SET, ATTACH, …
            return False
        if format == "table":
            from mlpond.cli.render import page

            result = page(relation)
    if format == "table":
        from mlpond.cli.render import console, show

        show(result, console())
    else:
        from mlpond.cli.formats import WRITERS

        with interruptible(pond.con):
            WRITERS[format](relation, sys.stdout)
    return True


def _script(query: str | None, file: Path | None) -> str:
    if (query is None) == (file is None):
        raise typer.BadParameter(
            "give either a query, '-' to read it from stdin, or --file FILE.", param_hint="QUERY"
        )
    if file is not None:
        return file.read_text(encoding="utf-8")
    return sys.stdin.read() if query == "-" else str(query)

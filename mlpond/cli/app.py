"""The commands and their options. What a command does is in a module of its own."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from mlpond.cli.failures import reported

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


class Format(StrEnum):
    """How rows are written."""

    table = "table"
    csv = "csv"
    json = "json"
    markdown = "markdown"
    line = "line"


Debug = Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")]
ReadOnly = Annotated[bool, typer.Option("--read-only", help="Open the file without changing it.")]
Database = Annotated[
    str | None,
    typer.Option("--db", metavar="FILE", help="Database file; without it, a database in memory."),
]
FileToWrite = Annotated[
    str | None,
    typer.Option("--db", metavar="FILE", help="Database file; without it, pond.duckdb here."),
]


def _print_version(asked: bool) -> None:
    if asked:
        version()
        raise typer.Exit


@app.callback()
def mlpond(
    version: Annotated[
        bool,
        typer.Option(
            "--version", help="Print the version.", callback=_print_version, is_eager=True
        ),
    ] = False,
) -> None:
    """Statistics, experiments and machine learning inside DuckDB."""


@app.command()
@reported
def run(
    pipeline: Annotated[
        str,
        typer.Argument(metavar="PIPELINE", help="Name of a shipped pipeline, or a folder."),
    ],
    db: FileToWrite = None,
    param: Annotated[
        list[str] | None,
        typer.Option("--param", "-p", metavar="NAME=VALUE", help="Set a parameter; repeatable."),
    ] = None,
    select: Annotated[
        str | None,
        typer.Option(help="Steps to run: 'a', 'a+' with what follows, '+a' with what it needs."),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Print the plan, run nothing.")
    ] = False,
    full_refresh: Annotated[
        bool, typer.Option("--full-refresh", help="Run every step, changed or not.")
    ] = False,
    debug: Debug = False,
) -> None:
    """Run a pipeline; steps whose inputs have not changed are skipped."""
    from mlpond.cli.run import run_command

    run_command(pipeline, db, tuple(param or ()), select, dry_run, full_refresh)


@app.command()
@reported
def report(
    pipeline: Annotated[
        str,
        typer.Argument(metavar="PIPELINE", help="Name of a shipped pipeline, or a folder."),
    ],
    db: FileToWrite = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", metavar="FILE", help="HTML file; PIPELINE.html without it."),
    ] = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace a file that is not a report.")
    ] = False,
    open_: Annotated[bool, typer.Option("--open", help="Show the page in the browser.")] = False,
    debug: Debug = False,
) -> None:
    """Write what a pipeline has made as one HTML page: charts, tables, SQL, checks, runs."""
    from mlpond.cli.report import report_command

    report_command(pipeline, db, out, overwrite, open_)


@app.command()
@reported
def sql(
    query: Annotated[
        str | None,
        typer.Argument(metavar="QUERY", help="SQL and model statements; '-' reads stdin."),
    ] = None,
    file: Annotated[
        Path | None, typer.Option("--file", "-f", help="Read the statements from this file.")
    ] = None,
    db: Database = None,
    format: Annotated[Format, typer.Option(help="How results are written.")] = Format.table,
    read_only: ReadOnly = False,
    debug: Debug = False,
) -> None:
    """Run SQL and print the results; several statements are separated by ';'."""
    from mlpond.cli.query import query_command

    query_command(query, file, db, format.value, read_only)


@app.command()
@reported
def shell(
    database: Annotated[str | None, typer.Argument(metavar="[DB]", help="Database file.")] = None,
    db: Annotated[str | None, typer.Option("--db", hidden=True)] = None,
    read_only: ReadOnly = False,
    debug: Debug = False,
) -> None:
    """Type SQL and model statements; '.help' says what else the shell knows."""
    from mlpond.cli.shell import shell_command

    shell_command(database or db, read_only)


@app.command("list")
@reported
def list_(
    word: Annotated[
        str | None, typer.Argument(metavar="[WORD]", help="Show only what contains this word.")
    ] = None,
    debug: Debug = False,
) -> None:
    """List the functions by field, the pipelines and the seeds."""
    from mlpond.cli.catalog import list_command

    list_command(word)


@app.command("help")
@reported
def help_(
    context: typer.Context,
    name: Annotated[
        str | None,
        typer.Argument(
            metavar="[NAME]", help="A function, with or without 'ml.', a pipeline or a seed."
        ),
    ] = None,
    debug: Debug = False,
) -> None:
    """Explain a function: parameters, columns, an example, where the method comes from."""
    if name is None:  # as --help
        assert context.parent is not None
        print(context.parent.get_help())
        return
    from mlpond.cli.catalog import help_command

    help_command(name)


@app.command("seed")
@reported
def seed_(
    name: Annotated[str, typer.Argument(metavar="NAME", help="A seed of `mlpond list`.")],
    db: FileToWrite = None,
    scale: Annotated[
        float | None,
        typer.Option(help="Size of a generated seed; the shop has 10,000 customers at 1."),
    ] = None,
    seed: Annotated[int | None, typer.Option(help="Chooses the draws of a generated seed.")] = None,
    debug: Debug = False,
) -> None:
    """Load a seed, real or generated tables, into a database."""
    from mlpond.cli.catalog import seed_command

    given = {"scale": scale, "seed": seed}
    seed_command(name, db, {key: value for key, value in given.items() if value is not None})


@app.command()
@reported
def init(
    folder: Annotated[
        Path, typer.Argument(metavar="FOLDER", help="Folder to make; it must not exist yet.")
    ],
    debug: Debug = False,
) -> None:
    """Make a starter pipeline on the penguins data that runs as it is."""
    from mlpond.cli.starter import init_command

    init_command(folder)


@app.command()
def version() -> None:
    """Print the version."""
    from mlpond import __version__

    typer.echo(f"mlpond {__version__}")

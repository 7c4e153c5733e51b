"""What the process says and returns when a command cannot do what was asked.

Exit codes: 0 all went well, 1 an error, 2 wrong usage (typer's own), 130 interrupted.
"""

from __future__ import annotations

import functools
import os
import sys
from collections.abc import Callable
from typing import ParamSpec

import typer

from mlpond.errors import MlpondError

P = ParamSpec("P")

ERROR = 1
INTERRUPTED = 130


def is_interrupt(error: BaseException) -> bool:
    """Whether Ctrl-C is behind the error: DuckDB wraps the interrupt in errors of its own."""
    seen: set[int] = set()
    current: BaseException | None = error
    while current is not None and id(current) not in seen:
        seen.add(id(current))
        if isinstance(current, KeyboardInterrupt):
            return True
        text = str(current)
        if not isinstance(current, MlpondError) and (
            "Query interrupted" in text or "INTERRUPT Error" in text or "KeyboardInterrupt" in text
        ):
            return True
        current = current.__cause__ or current.__context__
    return False


def is_expected(error: BaseException) -> bool:
    """Whether the message alone tells the user what to do, so that no traceback is needed."""
    duckdb = sys.modules.get("duckdb")  # if it is not loaded, it raised nothing
    known: tuple[type[BaseException], ...] = (MlpondError, OSError)
    return isinstance(error, known if duckdb is None else (*known, duckdb.Error))


def message(error: BaseException) -> str:
    """The text for the user; DuckDB's messages already say what kind of error they are."""
    text = str(error).strip()
    duckdb = sys.modules.get("duckdb")
    if duckdb is not None and isinstance(error, duckdb.Error):
        return text
    if isinstance(error, MlpondError):
        return f"Error: {text}"
    return f"Error: {type(error).__name__}: {text}" if text else f"Error: {type(error).__name__}"


def complain(text: str) -> None:
    """Print a message on stderr, red in a terminal."""
    sys.stdout.flush()  # what was printed before comes before
    red = sys.stderr.isatty() and not os.environ.get("NO_COLOR")
    typer.echo(typer.style(text, fg="red") if red else text, err=True)


def reported(command: Callable[P, None]) -> Callable[P, None]:
    """Turn the errors of a command into a message and an exit code.

    The command may take ``debug``: then an error comes with its traceback.
    """

    @functools.wraps(command)
    def call(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            command(*args, **kwargs)
            sys.stdout.flush()
        except typer.Exit:
            raise
        except BrokenPipeError:  # the reader, such as `head`, has seen enough
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            raise typer.Exit(0) from None
        except (Exception, KeyboardInterrupt) as error:
            if is_interrupt(error):
                complain("Interrupted. What was committed before stays.")
                raise typer.Exit(INTERRUPTED) from None
            if kwargs.get("debug") or isinstance(error, (typer.BadParameter, typer.Abort)):
                raise
            if not is_expected(error):
                complain(
                    f"{message(error)}\n"
                    "This is a fault in mlpond; --debug shows where it arose. Please report it."
                )
            else:
                complain(message(error))
            raise typer.Exit(ERROR) from None

    return call

"""``mlpond shell``: type statements and see their results; a script on stdin runs as well."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from mlpond.cli.failures import complain, is_expected, is_interrupt, message
from mlpond.cli.opening import MEMORY, open_pond
from mlpond.cli.query import print_result
from mlpond.sql.script import is_complete, split, statements

if TYPE_CHECKING:
    from prompt_toolkit import PromptSession

    from mlpond.session import Session

PROMPT = "mlpond> "
CONTINUATION = "   ...> "
SLOW_SECONDS = 1.0
"""A statement that took longer says how long."""

_TABLES = """
    select schema_name as "schema", table_name as "table", estimated_size as "rows"
    from duckdb_tables() where not internal and schema_name <> 'ml'
    union all
    select schema_name, view_name, null
    from duckdb_views() where not internal and schema_name <> 'ml'
    order by all
"""
_MODELS = """
    select name, version, list_contains(aliases, 'default') as is_default, model_type, label,
        training_rows, created_at
    from ml.models order by all
"""


class Leave(Exception):  # noqa: N818 (a request, not an error)
    """The user wants to leave."""


class Shell:
    """Carries out what is typed: statements, and commands that begin with a dot."""

    def __init__(self, pond: Session, interactive: bool) -> None:
        self.pond = pond
        self.format = "table"
        self._interactive = interactive
        self.commands: dict[str, tuple[Callable[[str], None], str]] = {
            ".help": (self._help, "[NAME]   these commands, or what a function does"),
            ".tables": (self._tables, "         tables and views"),
            ".models": (self._models, "         trained models"),
            ".mode": (self._mode, "FORMAT   write results as table, csv, json, markdown or line"),
            ".read": (self._read, "FILE     run the statements of a file"),
            ".quit": (self._quit, "         leave; so does Ctrl-D"),
        }

    def script(self, text: str) -> None:
        """Run a text of statements and lines that begin with a dot, up to the first error."""
        pending = ""
        for line in text.splitlines(keepends=True):
            if line.startswith(".") and is_complete(pending):
                self.command(line.strip())
                pending = ""
                continue
            pending += line
            if ";" in line:  # looking only then keeps a statement of many lines quick
                cut = split(pending)
                for statement in cut.statements:
                    self.statement(statement)
                pending = cut.rest
        for statement in statements(pending):
            self.statement(statement)

    def statement(self, text: str) -> None:
        """Run one statement; in a terminal, say that it is done if it returns nothing."""
        started = time.monotonic()
        has_rows = print_result(self.pond, text, self.format)
        seconds = time.monotonic() - started
        if self._interactive and (not has_rows or seconds > SLOW_SECONDS):
            done = [] if has_rows else ["done"]
            print(", ".join([*done, *([f"{seconds:.1f} s"] if seconds > SLOW_SECONDS else [])]))

    def command(self, line: str) -> None:
        """Carry out a command that begins with a dot."""
        from mlpond.errors import InputError

        name, _, argument = line.rstrip(";").strip().partition(" ")
        name = {".exit": ".quit"}.get(name, name)
        if name not in self.commands:
            raise InputError(f"shell: no command {name}; there are {', '.join(self.commands)}.")
        self.commands[name][0](argument.strip())

    def _help(self, name: str) -> None:
        if name:
            from mlpond.cli.catalog import help_command

            help_command(name)
            return
        for command, (_, meaning) in self.commands.items():
            print(f"{command:8} {meaning}")
        print("A statement ends with ';'. Ctrl-C drops the line or stops the running statement.")

    def _tables(self, _: str) -> None:
        print_result(self.pond, _TABLES, self.format)

    def _models(self, _: str) -> None:
        print_result(self.pond, _MODELS, self.format)

    def _mode(self, name: str) -> None:
        from mlpond.cli.app import Format
        from mlpond.errors import InputError

        if name not in set(Format):
            raise InputError(f"shell: .mode is {name or 'empty'}; it can be {', '.join(Format)}.")
        self.format = name

    def _read(self, name: str) -> None:
        self.script(Path(name).read_text(encoding="utf-8"))

    def _quit(self, _: str) -> None:
        raise Leave


def shell_command(database: str | None, read_only: bool) -> None:
    """Open the database and read statements from the terminal, or from stdin if it is none."""
    interactive = sys.stdin.isatty() and sys.stdout.isatty()
    with open_pond(database, read_only) as pond:
        shell = Shell(pond, interactive)
        if interactive:
            _converse(shell, database or MEMORY)
        else:
            try:
                shell.script(sys.stdin.read())
            except Leave:
                return


def _converse(shell: Shell, database: str) -> None:
    from mlpond import __version__

    where = "a database in memory" if database == MEMORY else database
    print(f"mlpond {__version__} on {where}. '.help' for help, Ctrl-D to leave.")
    session, forget = _prompt_session(shell)
    while True:
        try:
            text = session.prompt(PROMPT)
        except KeyboardInterrupt:
            continue
        except EOFError:
            return
        try:
            shell.script(text)
        except Leave:
            return
        except (Exception, KeyboardInterrupt) as error:
            _report(error)
        forget()


def _report(error: BaseException) -> None:
    if is_interrupt(error):
        complain("Interrupted.")
    elif isinstance(error, typer.Exit):
        pass  # already said
    elif is_expected(error):
        complain(message(error))
    else:
        complain(f"{message(error)}\nThis is a fault in mlpond. Please report it.")


def _prompt_session(shell: Shell) -> tuple[PromptSession[str], Callable[[], None]]:
    """The line editor, and what to call after a statement so that completion looks again."""
    from prompt_toolkit import PromptSession
    from prompt_toolkit.filters import Condition
    from prompt_toolkit.history import FileHistory, InMemoryHistory
    from prompt_toolkit.key_binding import KeyBindings
    from prompt_toolkit.key_binding.key_processor import KeyPressEvent
    from prompt_toolkit.lexers import PygmentsLexer
    from pygments.lexers.sql import PostgresLexer

    from mlpond.cli.completion import SqlCompleter

    keys = KeyBindings()

    @Condition
    def is_finished() -> bool:
        text = session.default_buffer.document.text.strip()
        return not text or text.startswith(".") or is_complete(text)

    @keys.add("enter", filter=is_finished)
    def accept(event: KeyPressEvent) -> None:
        event.current_buffer.validate_and_handle()

    completer = SqlCompleter(shell.pond, shell.commands)
    path = history_file()
    session: PromptSession[str] = PromptSession(
        history=FileHistory(str(path)) if path else InMemoryHistory(),
        lexer=PygmentsLexer(PostgresLexer),
        completer=completer,
        complete_while_typing=False,
        multiline=True,
        prompt_continuation=CONTINUATION,
        key_bindings=keys,
        enable_open_in_editor=True,
    )
    return session, completer.forget


def history_file() -> Path | None:
    """The file that keeps what was typed, in the user's state folder; None if it cannot be made."""
    if os.name == "nt":
        base = Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    else:
        base = Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state")
    path = base / "mlpond" / "history"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)
    except OSError:
        return None
    return path

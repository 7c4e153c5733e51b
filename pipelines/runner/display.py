"""Who shows a run: a live display in a terminal, plain lines elsewhere, or nobody."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from textwrap import indent
from typing import TYPE_CHECKING, TextIO

from mlpond.pipelines.runner.result import RunResult, StepResult

if TYPE_CHECKING:
    from rich.console import Console

    from mlpond.pipelines.runner.plan import Node
    from mlpond.pipelines.runner.project import Project

QueryProgress = Callable[[], float]


class Display:
    """What the runner tells whoever watches; this one shows nothing."""

    def start(
        self, project: Project, steps: Sequence[Node], database: str, query_progress: QueryProgress
    ) -> None:
        """A run begins; query_progress tells how far the query is, in percent, -1 if unknown."""

    def step_started(self, node: Node, reason: str) -> None:
        """A step begins."""

    def progress(self, message: str, fraction: float | None) -> None:
        """The step that runs has got so far."""

    def step_finished(self, result: StepResult) -> None:
        """A step has ended, or need not run."""

    def finish(self, result: RunResult) -> None:
        """The run has ended, well or not."""

    def stop(self) -> None:
        """Leave the terminal as it was; called last or before finish, also after an interrupt."""


class Plain(Display):
    """One line an event, with the time of day; for logs and pipes."""

    def __init__(self, file: TextIO) -> None:
        self.file = file

    def start(
        self, project: Project, steps: Sequence[Node], database: str, query_progress: QueryProgress
    ) -> None:
        """Print what runs where."""
        self._say(f"pipeline {project.name} in {database}: {len(steps)} steps")

    def step_started(self, node: Node, reason: str) -> None:
        """Print which step begins and why."""
        self._say(f"{node.key}: started ({reason})")

    def step_finished(self, result: StepResult) -> None:
        """Print how a step ended."""
        facts = [amount(result)] if amount(result) else []
        facts += [f"{result.seconds:.2f} s"] if result.seconds else []
        facts += [] if result.status == "run" else [result.reason]
        status = {"run": "done"}.get(result.status, result.status)
        self._say(f"{result.name}: {status}" + (f" ({', '.join(facts)})" if facts else ""))
        if result.error is not None:
            self._say(f"{result.name}: {result.error}")
        if result.warning is not None:
            self._say(f"{result.name}: warning: {result.warning}")

    def finish(self, result: RunResult) -> None:
        """Print the summary without the steps, which are above."""
        print(outcome(result), file=self.file, flush=True)
        print(closing_text(result), file=self.file, end="", flush=True)

    def _say(self, text: str) -> None:
        print(f"{time.strftime('%H:%M:%S')} {text}", file=self.file, flush=True)


def plain_display(file: TextIO | None = None) -> Display:
    """Lines on standard output or in a file."""
    return Plain(file or sys.stdout)


def terminal_display(console: Console | None = None) -> Display:
    """A live display if standard output is a terminal, plain lines if not."""
    if console is None and not sys.stdout.isatty():
        return plain_display()
    from mlpond.pipelines.runner.live import Live  # rich takes 0.1 s to import

    return Live(console)


def amount(result: StepResult) -> str:
    """The rows of a result in words."""
    if result.rows is None or result.kind == "check":
        return ""
    return f"{result.rows:,} row{'' if result.rows == 1 else 's'}"


def outcome(result: RunResult) -> str:
    """One line: how the run ended, with how many steps of each status."""
    counts: dict[str, int] = {}
    for step in result.steps:
        counts[step.status] = counts.get(step.status, 0) + 1
    parts = ", ".join(f"{count} {status}" for status, count in counts.items())
    warnings = sum(step.warning is not None for step in result.steps)
    if warnings:
        parts += f", {warnings} with a warning"
    ending = {"planned": "dry run, nothing changed"}.get(result.status, result.status)
    return f"{result.pipeline}: {ending} in {result.seconds:.1f} s ({parts})"


def commands(result: RunResult) -> tuple[str, ...]:
    """The queries to try, as one types them."""
    if result.database == ":memory:":
        return tuple(f"pond.sql({query!r})" for query in result.queries)
    database = _shell_quote(result.database)
    texts = [_shell_quote(" ".join(query.split())) for query in result.queries]
    ours = [f"mlpond sql {text} --db {database}" for text in texts]
    # the file needs nothing of ours to be read
    return (*ours, *(f"duckdb {database} {text}" for text in texts[:1]))


def _shell_quote(text: str) -> str:
    plain = text.replace("/", "").replace(".", "").replace("_", "").replace("-", "")
    if plain.isalnum():
        return text
    for sign in ("\\", '"', "$", "`"):
        text = text.replace(sign, "\\" + sign)
    return f'"{text}"'


def show_number(value: object) -> str:
    """A value of the headline."""
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{value:,}"
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def closing_text(result: RunResult) -> str:
    """Headline and queries of a run that succeeded."""
    if result.status != "succeeded":
        return ""
    lines = [f"  {name}: {show_number(value)}" for name, value in result.headline]
    if result.queries:
        lines += ["Try:", *(f"  {command}" for command in commands(result))]
    return "".join(f"{line}\n" for line in lines)


def summary_text(result: RunResult) -> str:
    """Every step, the outcome, the headline and the queries."""
    width = max((len(step.name) for step in result.steps), default=0)
    lines = [
        f"  {step.name:<{width}}  {step.status:<8}  {amount(step):>14}  "
        f"{step.seconds:6.2f} s  {step.reason}"
        + ("\n" + indent(f"warning: {step.warning}", "    ") if step.warning else "")
        for step in result.steps
    ]
    return "\n".join([*lines, outcome(result)]) + "\n" + closing_text(result)

"""The display in a terminal: a line a finished step, and below them what goes on."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.console import Console, Group, RenderableType
from rich.live import Live as RichLive
from rich.markup import escape
from rich.padding import Padding
from rich.progress_bar import ProgressBar
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from mlpond.pipelines.runner.display import (
    Display,
    QueryProgress,
    amount,
    commands,
    outcome,
    show_number,
)
from mlpond.pipelines.runner.result import RunResult, StepResult

if TYPE_CHECKING:
    from mlpond.pipelines.runner.plan import Node
    from mlpond.pipelines.runner.project import Project

_MARKS = {
    "run": ("✓", "+", "green"),
    "skipped": ("·", ".", "bright_black"),
    "planned": ("→", ">", "cyan"),
    "failed": ("✗", "x", "bold red"),
    "interrupted": ("✗", "x", "yellow"),
    "blocked": ("–", "-", "yellow"),
}
_BAR_WIDTH = 24
_QUERY_BAR_AFTER = 1.0  # seconds; a bar that comes and goes at once is noise


def _unknown() -> float:
    return -1.0


class Live(Display):
    """Steps appear as they end; the last lines show the step that runs and how far all is.

    Finished steps scroll up like any output, so that a long pipeline fits a short terminal.
    """

    def __init__(self, console: Console | None = None) -> None:
        self.console = console or Console(highlight=False)
        self.fancy = (self.console.encoding or "").lower().startswith("utf")
        self.spinner = Spinner("dots" if self.fancy else "line", style="cyan")
        self.live: RichLive | None = None
        self.node: Node | None = None
        self.reason = ""
        self.message = ""
        self.fraction: float | None = None
        self.names: list[str] = []
        self.query_progress: QueryProgress = _unknown
        self.done = 0
        self.began = self.step_began = time.monotonic()

    def start(
        self, project: Project, steps: Sequence[Node], database: str, query_progress: QueryProgress
    ) -> None:
        """Print the title and begin to draw."""
        self.names = [node.key for node in steps]
        self.query_progress = query_progress
        self.began = time.monotonic()
        title = Text.assemble((project.name, "bold"), ("  in ", "bright_black"), database)
        self.console.print()
        self.console.print(title)
        if project.description:
            self.console.print(Text(project.description, style="italic"))
        self.console.print()
        self.live = RichLive(
            get_renderable=self._picture,
            console=self.console,
            refresh_per_second=10,
            transient=True,
        )
        self.live.start()

    def step_started(self, node: Node, reason: str) -> None:
        """Show the step as the one that runs."""
        self.node, self.reason = node, reason
        self.message, self.fraction = "", None
        self.step_began = time.monotonic()

    def progress(self, message: str, fraction: float | None) -> None:
        """Show how far the step is."""
        self.message, self.fraction = message, fraction

    def step_finished(self, result: StepResult) -> None:
        """Print the step's line above what goes on."""
        self.done += 1
        self.node = None
        self.console.print(self._line(result))
        if result.error is not None and result.status == "failed":
            self.console.print(Padding(Text(result.error, style="red"), (0, 0, 1, 4)))
        if result.warning is not None:
            self.console.print(Padding(Text(result.warning, style="yellow"), (0, 0, 1, 4)))

    def stop(self) -> None:
        """Stop drawing."""
        if self.live is not None:
            self.live.stop()
            self.live = None

    def finish(self, result: RunResult) -> None:
        """Print the outcome, the headline and what to try next."""
        style = "bold green" if result.status == "succeeded" else "bold red"
        self.console.print()
        self.console.print(Text(outcome(result), style=style))
        if result.status != "succeeded":
            self.console.print()
            return
        if result.headline:
            numbers = Table.grid(padding=(0, 2))
            numbers.add_column()
            numbers.add_column(justify="right", style="bold cyan")
            for name, value in result.headline:
                numbers.add_row(name, show_number(value))
            self.console.print(Padding(numbers, (1, 0, 0, 2)))
        if result.queries:
            self.console.print()
            self.console.print(Text("Try next", style="bold"))
            for command in commands(result):
                # one line, however narrow the terminal, so that it can be copied
                self.console.print(Text(f"  {command}", style="cyan"), soft_wrap=True, no_wrap=True)
        self.console.print()

    def _line(self, result: StepResult) -> RenderableType:
        mark, ascii_mark, style = _MARKS[result.status]
        quiet = result.status in ("skipped", "blocked", "planned")
        seconds = "" if quiet else f"{result.seconds:.2f} s"
        row = self._columns()
        row.add_row(
            Text(mark if self.fancy else ascii_mark, style=style),
            Text(result.name, style="bright_black" if result.status == "skipped" else ""),
            Text(result.kind, style="bright_black"),
            Text(amount(result)),
            Text(seconds, style="cyan"),
            Text(result.reason, style="bright_black", overflow="ellipsis", no_wrap=True),
        )
        return row

    def _columns(self) -> Table:
        widest = max((len(name) for name in self.names), default=8)
        row = Table.grid(padding=(0, 1))
        row.add_column(width=2, justify="right")
        row.add_column(width=min(widest, max(12, self.console.width - 44)), no_wrap=True)
        row.add_column(width=6, no_wrap=True)
        row.add_column(width=14, justify="right", no_wrap=True)
        row.add_column(width=8, justify="right", no_wrap=True)
        row.add_column(no_wrap=True)
        return row

    def _picture(self) -> RenderableType:
        """What goes on now: the step, the part of it that is done, and the whole."""
        total = max(len(self.names), 1)
        lines: list[RenderableType] = []
        if self.node is not None:
            seconds = time.monotonic() - self.step_began
            row = self._columns()
            row.add_row(
                self.spinner,
                Text(self.node.key, style="bold"),
                Text(self.node.kind, style="bright_black"),
                "",
                Text(f"{seconds:.1f} s", style="cyan"),
                Text(self.reason, style="bright_black", overflow="ellipsis", no_wrap=True),
            )
            lines.append(row)
            fraction = self._fraction(seconds)
            if self.message or fraction is not None:
                part = Table.grid(padding=(0, 1))
                part.add_row(
                    "  ",
                    self._bar(fraction) if fraction is not None else "",
                    f"{fraction:4.0%}" if fraction is not None else "",
                    Text(escape(self.message), style="bright_black"),
                )
                lines.append(part)
        whole = Table.grid(padding=(0, 1))
        elapsed = time.monotonic() - self.began
        whole.add_row(
            "  ",
            self._bar(self.done / total),
            f"{self.done} of {len(self.names)} steps",
            Text(f"{elapsed:.0f} s", style="cyan"),
        )
        lines += ["", whole]
        return Group(*lines)

    def _fraction(self, seconds: float) -> float | None:
        """How much of the step is done, if anybody knows: the step itself, or DuckDB."""
        if self.fraction is not None or self.message or seconds < _QUERY_BAR_AFTER:
            return self.fraction
        percent = self.query_progress()
        return percent / 100 if 0 < percent <= 100 else None

    def _bar(self, fraction: float) -> RenderableType:
        if not self.fancy:
            full = round(_BAR_WIDTH * fraction)
            return Text("#" * full + "-" * (_BAR_WIDTH - full))
        return ProgressBar(total=1.0, completed=min(max(fraction, 0.0), 1.0), width=_BAR_WIDTH)

"""Timing contenders side by side: each run in a process of its own, in turns, medians reported.

A contender is a function of a module in this folder: it takes the path of a DuckDB file, does the
whole job from the rows in the file to the result in hand, and returns numbers to compare. Imports
are done before the clock starts; peak memory is that of the whole process.
"""

from __future__ import annotations

import importlib
import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

from rich.console import Console
from rich.table import Table

console = Console(width=120)


@dataclass
class Result:
    """The runs of one contender."""

    name: str
    seconds: list[float] = field(default_factory=list)
    megabytes: list[float] = field(default_factory=list)
    numbers: list[float] = field(default_factory=list)
    failed: str = ""


def prepared(prepare: Callable[[], None]) -> Callable[[Any], Any]:
    """Import a contender's libraries before the clock starts."""

    def mark(contender: Any) -> Any:
        contender.prepare = prepare
        return contender

    return mark


def compare(
    title: str, database: Path, contenders: Sequence[str], *, runs: int = 3, target: str = ""
) -> list[Result]:
    """Run contenders ``module:function`` in turns and print their medians and ratios to the first.

    Args:
        title: What is compared.
        database: The file that every contender reads.
        contenders: The first is ours.
        runs: Runs of each.
        target: What was hoped for, printed below.
    """
    results = [Result(name) for name in contenders]
    for turn in range(runs):
        for result in results:
            if result.failed:
                continue
            console.print(f"[dim]{title}: {result.name}, run {turn + 1} of {runs}[/dim]")
            _run(result, database)
    _report(title, results, target)
    return results


def _run(result: Result, database: Path) -> None:
    command = [sys.executable, "-m", "benchmarks.harness", result.name, str(database)]
    environment = dict(os.environ, PYTHONWARNINGS="ignore")
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    if done.returncode:
        lines = done.stderr.strip().splitlines()
        result.failed = f"{lines[-1] if lines else ''} (exit code {done.returncode})"
        return
    measured = json.loads(done.stdout.splitlines()[-1])
    result.seconds.append(measured["seconds"])
    result.megabytes.append(measured["megabytes"])
    result.numbers = measured["numbers"]


def _report(title: str, results: list[Result], target: str) -> None:
    table = Table(title=title, title_justify="left")
    for column in ("contender", "seconds (min, median, max)", "peak MB", "× our time", "× our memory",
                   "largest difference"):  # fmt: skip
        table.add_column(column, justify="left" if column == "contender" else "right")
    ours = results[0]
    for result in results:
        name = result.name.partition(":")[2]
        if result.failed:
            table.add_row(name, f"failed: {result.failed}", "", "", "", "")
            continue
        seconds, memory = median(result.seconds), median(result.megabytes)
        if ours.failed:
            ratios = ["", "", ""]
        else:
            difference = max(
                (
                    abs(a - b) / max(abs(b), 1e-12)
                    for a, b in zip(ours.numbers, result.numbers, strict=False)
                ),
                default=0.0,
            )
            ratios = [
                f"{seconds / median(ours.seconds):.2f}",
                f"{memory / median(ours.megabytes):.2f}",
                f"{difference:.1e}" if result is not ours else "",
            ]
        spread = f"{min(result.seconds):.2f}, {seconds:.2f}, {max(result.seconds):.2f}"
        table.add_row(name, spread, f"{memory:.0f}", *ratios)
    console.print(table)
    if target:
        console.print(f"[dim]target: {target}[/dim]\n")


def main() -> None:
    """Run one contender in this process and print what it measured as JSON."""
    name, database = sys.argv[1:]
    module, function = name.split(":")
    contender = getattr(importlib.import_module(f"benchmarks.{module}"), function)
    if prepare := getattr(contender, "prepare", None):
        prepare()
    started = time.perf_counter()
    numbers = contender(database)
    seconds = time.perf_counter() - started
    megabytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(
        json.dumps(
            {"seconds": seconds, "megabytes": megabytes, "numbers": list(map(float, numbers))}
        )
    )


if __name__ == "__main__":
    main()

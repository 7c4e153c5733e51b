"""``mlpond run``: run a pipeline and show how it goes."""

from __future__ import annotations

import sys
from pathlib import Path

import typer

from mlpond.cli.failures import ERROR
from mlpond.cli.opening import DEFAULT, MEMORY, open_pond
from mlpond.interrupt import interruptible


def run_command(
    pipeline: str,
    database: str | None,
    parameters: tuple[str, ...],
    select: str | None,
    dry_run: bool,
    full_refresh: bool,
) -> None:
    """Run the pipeline; what is wrong with the request is said before a file is made."""
    from mlpond.pipelines.runner import RunFailedError, find_project, run_pipeline, terminal_display
    from mlpond.pipelines.runner.display import outcome
    from mlpond.pipelines.runner.parameters import resolve
    from mlpond.pipelines.runner.select import select as chosen_steps

    given = _read_parameters(parameters)
    project = find_project(pipeline)
    resolve(project.parameters, given, project.name)
    if select is not None:
        steps = [f"seed {seed}" for seed in project.seeds] + [file.key for file in project.files]
        chosen_steps(select, dict.fromkeys(steps, ()), project.name)
    name = database or DEFAULT
    if dry_run and not Path(name).exists():
        name = MEMORY  # a plan for a new file makes no file
    with open_pond(name) as pond, interruptible(pond.con):
        try:
            result = run_pipeline(
                pond,
                pipeline,
                params=given,
                select=select,
                full_refresh=full_refresh,
                dry_run=dry_run,
                display=terminal_display(),
            )
        except RunFailedError:
            if sys.stdout.isatty():  # the display has shown it
                raise typer.Exit(ERROR) from None
            raise
    if dry_run:
        print(outcome(result))


def _read_parameters(parameters: tuple[str, ...]) -> dict[str, object]:
    given: dict[str, object] = {}
    for text in parameters:
        name, equals, value = text.partition("=")
        if not equals or not name.strip():
            raise typer.BadParameter(
                f"{text!r} is not NAME=VALUE, such as delay_minutes=45.", param_hint="--param"
            )
        given[name.strip()] = value
    return given

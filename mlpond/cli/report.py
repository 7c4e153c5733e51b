"""``mlpond report``: write a pipeline's results as one HTML page."""

from __future__ import annotations

import webbrowser
from pathlib import Path

from mlpond.cli.opening import DEFAULT
from mlpond.cli.progress import progress_line
from mlpond.interrupt import interruptible


def report_command(
    pipeline: str, database: str | None, out: Path | None, overwrite: bool, show: bool
) -> None:
    """Write the page and say what was written; what is wrong with the request is said first."""
    from mlpond.pipelines.runner import find_project
    from mlpond.reports.write import open_current, require_libraries, write_report

    require_libraries()
    find_project(pipeline)
    with (
        open_current(database or DEFAULT) as pond,
        progress_line(pond),
        interruptible(pond.con),
    ):
        written = write_report(pond, pipeline, out, overwrite=overwrite)
    print(written)
    if show and not webbrowser.open(written.path.resolve().as_uri()):
        print(f"No browser could be started; open {written.path} by hand.")

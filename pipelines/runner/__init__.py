"""The pipeline runner: a folder is a pipeline, a file is a step.

    run_pipeline(pond, "flights", params={"delay_minutes": 45})

``project`` reads the folder, ``plan`` finds the order, ``fingerprint`` decides what must run,
``execute`` runs it, ``display`` shows it and ``history`` keeps it in ml.runs and ml.steps.
"""

from __future__ import annotations

from mlpond.pipelines.runner.display import Display, plain_display, terminal_display
from mlpond.pipelines.runner.execute import run_pipeline
from mlpond.pipelines.runner.project import Project, find_project, list_pipelines
from mlpond.pipelines.runner.result import RunFailedError, RunResult, StepResult

__all__ = [
    "Display",
    "Project",
    "RunFailedError",
    "RunResult",
    "StepResult",
    "find_project",
    "list_pipelines",
    "plain_display",
    "run_pipeline",
    "terminal_display",
]

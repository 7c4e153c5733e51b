"""What a run gives back."""

from __future__ import annotations

from dataclasses import dataclass, field

from mlpond.errors import PipelineError


@dataclass(frozen=True)
class StepResult:
    """How one step of a run ended."""

    name: str
    kind: str
    status: str  # run, skipped, failed, interrupted, blocked; in a dry run: planned, skipped
    reason: str
    rows: int | None = None
    seconds: float = 0.0
    error: str | None = None
    sql: str = field(default="", repr=False)
    warning: str | None = None  # what a check has found that does not fail the run


@dataclass(frozen=True)
class RunResult:
    """How a run ended."""

    pipeline: str
    run_id: str
    status: str  # succeeded, failed, interrupted; in a dry run: planned
    steps: tuple[StepResult, ...]
    seconds: float
    database: str
    headline: tuple[tuple[str, object], ...] = ()
    queries: tuple[str, ...] = ()

    def step(self, name: str) -> StepResult:
        """The result of one step."""
        return next(step for step in self.steps if step.name == name)

    @property
    def summary(self) -> str:
        """The run in plain text: its steps, its headline and queries to try."""
        from mlpond.pipelines.runner.display import summary_text

        return summary_text(self)


class RunFailedError(PipelineError):
    """A run in which a step or a check failed; ``result`` has every step."""

    def __init__(self, message: str, result: RunResult) -> None:
        super().__init__(message)
        self.result = result

"""What ml.runs and ml.steps tell of a pipeline."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mlpond.errors import PipelineError
from mlpond.pipelines.runner.parameters import Value

if TYPE_CHECKING:
    import duckdb

    from mlpond.pipelines.runner.catalog import Catalog
    from mlpond.pipelines.runner.project import Project

RUNS = 10
"""Runs that a report lists, the latest ones."""


@dataclass(frozen=True)
class Run:
    """One run; moments are in UTC."""

    run_id: str
    status: str
    started_at: dt.datetime
    finished_at: dt.datetime | None
    parameters: dict[str, str]
    selection: str | None
    version: str
    error: str | None
    n_run: int
    n_skipped: int
    n_failed: int

    @property
    def seconds(self) -> float | None:
        """How long it took, None if it did not end."""
        return (self.finished_at - self.started_at).total_seconds() if self.finished_at else None


@dataclass(frozen=True)
class Step:
    """A step: how its last attempt ended, and what its last success was made from."""

    name: str
    kind: str
    status: str  # run, failed or interrupted
    error: str | None
    attempted_at: dt.datetime
    rows: int | None
    seconds: float | None
    sql: str | None
    warning: str | None
    parameters: dict[str, str]
    last_status: str  # in the latest run: also skipped, blocked, or empty if it was not selected


@dataclass(frozen=True)
class Past:
    """The runs of a pipeline, the latest first, and its steps in the order in which they ran."""

    runs: tuple[Run, ...]
    n_runs: int
    steps: dict[str, Step]

    @property
    def last(self) -> Run:
        """The latest run."""
        return self.runs[0]

    def values(self, project: Project) -> dict[str, Value]:
        """The parameters of the latest run; those that it did not have yet at their defaults."""
        return {
            parameter.name: parameter.parse(self.last.parameters[parameter.name], project.name)
            if parameter.name in self.last.parameters
            else parameter.default
            for parameter in project.parameters
        }


def read_past(con: duckdb.DuckDBPyConnection, catalog: Catalog, project: Project) -> Past:
    """Read the runs of a pipeline.

    Raises:
        PipelineError: it has not run in this database.
    """
    from mlpond.pipelines.runner.names import quote

    runs_table, steps_table = (quote(catalog.name, "ml", name) for name in ("runs", "steps"))
    n_runs = 0
    if catalog.kind("ml", "runs") is not None:
        n_runs = con.execute(
            f"select count(*) from {runs_table} where pipeline = ?", [project.name]
        ).fetchall()[0][0]
    if not n_runs:
        raise PipelineError(
            f"report: pipeline {project.name} has not run in this database, so there is nothing "
            f"to report; `mlpond run {project.name}` runs it."
        )
    runs = con.execute(
        f"""
        select
            run_id, runs.status, runs.started_at, finished_at, parameters, selection,
            mlpond_version, runs.error,
            count(*) filter (steps.status = 'run'),
            count(*) filter (steps.status = 'skipped'),
            count(*) filter (steps.status in ('failed', 'blocked', 'interrupted')),
        from {runs_table} as runs
        left join {steps_table} as steps using (run_id)
        where runs.pipeline = ?
        group by all
        order by runs.started_at desc
        limit {RUNS}
        """,
        [project.name],
    ).fetchall()
    found = tuple(
        Run(row[0], row[1], row[2], row[3], json.loads(row[4]), *row[5:11]) for row in runs
    )
    steps = con.execute(
        f"""
        with latest as (
            select step, status from {steps_table} where run_id = $run
        ),
        attempts as (
            select
                step,
                arg_max({{'kind': kind, 'status': status, 'error': error}}, started_at) as attempt,
                max(started_at) as attempted_at,
                arg_max({{'rows': rows, 'seconds': seconds, 'sql': sql, 'warning': warning,
                    'made_from': fingerprint}}, started_at) filter (status = 'run') as success,
            from {steps_table}
            where pipeline = $pipeline and status in ('run', 'failed', 'interrupted')
            group by step
        )
        select step, attempt, attempted_at, success, coalesce(latest.status, '') as last_status
        from attempts
        left join latest using (step)
        order by attempted_at, step
        """,
        {"run": found[0].run_id, "pipeline": project.name},
    ).fetchall()
    return Past(found, n_runs, {row[0]: _step(*row) for row in steps})


def _step(
    name: str,
    attempt: dict[str, str | None],
    attempted_at: dt.datetime,
    success: dict[str, object] | None,
    last_status: str,
) -> Step:
    found = success or {}
    made_from = json.loads(str(found.get("made_from") or "{}"))
    rows, seconds, sql = found.get("rows"), found.get("seconds"), found.get("sql")
    warning = found.get("warning")
    return Step(
        name=name,
        kind=str(attempt["kind"]),
        status=str(attempt["status"]),
        error=attempt["error"],
        attempted_at=attempted_at,
        rows=rows if isinstance(rows, int) else None,
        seconds=seconds if isinstance(seconds, float) else None,
        sql=sql if isinstance(sql, str) else None,
        warning=warning if isinstance(warning, str) else None,
        parameters=made_from.get("parameters", {}),
        last_status=last_status,
    )

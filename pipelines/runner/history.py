"""The tables ml.runs and ml.steps: what ran, when, how it ended, and from what."""

from __future__ import annotations

import datetime as dt
import json
import os
import platform
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from mlpond.pipelines.runner.catalog import Catalog
from mlpond.pipelines.runner.fingerprint import Fingerprint, show
from mlpond.pipelines.runner.names import quote
from mlpond.pipelines.runner.protocol import Pond
from mlpond.pipelines.runner.result import StepResult


def utc_now() -> dt.datetime:
    """The moment in UTC, without a time zone, as the tables keep it."""
    return dt.datetime.now(dt.UTC).replace(tzinfo=None)


@dataclass(frozen=True)
class Attempt:
    """The status of a step's last attempt; run, fingerprint and warning of its last success."""

    status: str | None = None
    run_id: str | None = None
    made_from: Fingerprint | None = None
    warning: str | None = None


_LIVE: set[str] = set()  # the runs of this process that have not ended, in whatever session


class History:
    """Reads and writes the runs of one pipeline."""

    def __init__(self, pond: Pond, catalog: Catalog, pipeline: str) -> None:
        self.pond = pond
        self.pipeline = pipeline
        self.runs = quote(catalog.name, "ml", "runs")
        self.steps = quote(catalog.name, "ml", "steps")
        self._is_there = catalog.kind("ml", "steps") is not None

    def last(self) -> dict[str, Attempt]:
        """Each step's last attempt."""
        if not self._is_there:
            return {}
        rows = self.pond.con.execute(
            f"""
            select
                step,
                arg_max(status, started_at),
                arg_max([run_id, fingerprint, warning], started_at) filter (status = 'run'),
            from {self.steps}
            where pipeline = ? and status in ('run', 'failed', 'interrupted')
            group by step
            """,
            [self.pipeline],
        ).fetchall()
        found = {}
        for step, status, success in rows:
            run_id, text, warning = success or (None, None, None)
            made_from = Fingerprint.from_json(text) if text else None
            found[step] = Attempt(status, run_id, made_from, warning)
        return found

    @contextmanager
    def alive(self, run_id: str) -> Iterator[None]:
        """Tell the other sessions of this process that a run goes on, as long as the block."""
        _LIVE.add(run_id)
        try:
            yield
        finally:
            _LIVE.discard(run_id)

    def bury(self) -> None:
        """Mark runs as killed that never came to an end.

        One process at a time can write a DuckDB file, so no other can be running them.
        """
        self.pond.con.execute(
            f"""
            update {self.runs}
            set status = 'killed', error = 'the process ended before the run did'
            where status = 'running' and not list_contains(?, run_id)
            """,
            [list(_LIVE)],
        ).fetchall()

    def start(
        self, run_id: str, parameters: Mapping[str, object], selection: str | None, version: str
    ) -> None:
        """Record that a run begins."""
        values = json.dumps({name: show(value) for name, value in parameters.items()})
        self.pond.con.execute(
            f"""
            insert into {self.runs} (run_id, pipeline, status, started_at, parameters, selection,
                mlpond_version, pid, host)
            values (?, ?, 'running', ?, ?, ?, ?, ?, ?)
            """,
            [run_id, self.pipeline, utc_now(), values, selection, version, os.getpid(),
             platform.node()],
        ).fetchall()  # fmt: skip

    def finish(self, run_id: str, status: str, error: str | None) -> None:
        """Record how a run ended."""
        self.pond.con.execute(
            f"update {self.runs} set status = ?, finished_at = ?, error = ? where run_id = ?",
            [status, utc_now(), error, run_id],
        ).fetchall()

    def record(
        self,
        run_id: str,
        step: StepResult,
        started_at: dt.datetime,
        fingerprint: Fingerprint | None,
    ) -> None:
        """Record how a step ended, in the transaction that is open.

        The first record stands: Ctrl-C just after a commit does not undo what was committed.
        """
        self.pond.con.execute(
            f"""
            insert or ignore into {self.steps} (run_id, pipeline, step, kind, status, reason, rows,
                seconds, started_at, fingerprint, sql, error, warning)
            values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            """,
            [run_id, self.pipeline, step.name, step.kind, step.status, step.reason, step.rows,
             step.seconds, started_at, fingerprint.to_json() if fingerprint else None,
             step.sql or None, step.error, step.warning],
        ).fetchall()  # fmt: skip

"""Run a plan: one transaction a step, and a record of everything in ml.runs and ml.steps."""

from __future__ import annotations

import datetime as dt
import time
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import duckdb

from mlpond import __version__
from mlpond.errors import PipelineError
from mlpond.interrupt import interruptible
from mlpond.pipelines.runner.catalog import Catalog
from mlpond.pipelines.runner.display import Display
from mlpond.pipelines.runner.fingerprint import UNCHANGED, Fingerprint, fingerprint, reason_to_run
from mlpond.pipelines.runner.fragments import fill
from mlpond.pipelines.runner.history import Attempt, History, utc_now
from mlpond.pipelines.runner.make import NOTHING, Made, RuleBrokenError, make
from mlpond.pipelines.runner.names import quote, shown
from mlpond.pipelines.runner.parameters import Value, resolve
from mlpond.pipelines.runner.plan import Node, Plan, exists, make_plan
from mlpond.pipelines.runner.project import Project, find_project
from mlpond.pipelines.runner.protocol import Pond
from mlpond.pipelines.runner.result import RunFailedError, RunResult, StepResult


def run_pipeline(
    pond: Pond,
    pipeline: str | Path,
    params: Mapping[str, object] | None = None,
    select: str | None = None,
    full_refresh: bool = False,
    dry_run: bool = False,
    display: Display | None = None,
) -> RunResult:
    """Run the steps of a pipeline that are new or changed.

    Args:
        pond: The session with the database.
        pipeline: Name of a built-in pipeline, or path to a folder.
        params: Values of parameters, in their type or as text; the others have their defaults.
        select: Steps to run, such as "a+" or "+b, c"; all by default.
        full_refresh: Run every step, changed or not.
        dry_run: Say what would run and why, and change nothing.
        display: Who shows the progress; nobody by default.

    Returns:
        Every step with its status, reason, rows and seconds.

    Raises:
        PipelineError: the pipeline is malformed; nothing has run.
        InputError: a parameter or the selection is not accepted; nothing has run.
        RunFailedError: a step or check failed; the steps before it are kept.
        KeyboardInterrupt: the run was interrupted; the steps before are kept.
    """
    project = find_project(pipeline)
    values = resolve(project.parameters, params, project.name)
    _refuse_open_transaction(pond)
    made = [file.name for file in project.files if file.kind != "check"]
    catalog = Catalog(pond, project.name, made)
    plan = make_plan(pond, project, catalog, values, select)
    run = _Run(pond, project, catalog, plan, values, full_refresh, display or Display())
    return run.rehearse() if dry_run else run.perform(select)


def _in_transaction(pond: Pond) -> bool:
    # outside of a transaction every statement has a new one; a BEGIN to find out would abort it
    try:
        ids = [pond.con.execute("select txid_current()").fetchall()[0][0] for _ in range(2)]
    except duckdb.TransactionException:  # open, and aborted by an earlier error
        return True
    return bool(ids[0] == ids[1])


@contextmanager
def _silent_progress(pond: Pond) -> Iterator[None]:
    """Let DuckDB measure the progress of queries, and not print its own bar into ours."""
    settings = {"enable_progress_bar": "true", "enable_progress_bar_print": "false"}
    before = {
        name: pond.con.execute("select current_setting(?)", [name]).fetchall()[0][0]
        for name in settings
    }
    for name, value in settings.items():
        pond.con.execute(f"set {name} = {value}")
    try:
        yield
    finally:
        for name, value in before.items():
            pond.con.execute(f"set {name} = {str(value).lower()}")


def _refuse_open_transaction(pond: Pond) -> None:
    if _in_transaction(pond):
        raise PipelineError(
            "run: a transaction is open on this connection, but every step commits its own; "
            "COMMIT or ROLLBACK first."
        )


class _Run:
    """One run of one pipeline."""

    def __init__(
        self,
        pond: Pond,
        project: Project,
        catalog: Catalog,
        plan: Plan,
        values: Mapping[str, Value],
        full_refresh: bool,
        display: Display,
    ) -> None:
        self.pond = pond
        self.project = project
        self.catalog = catalog
        self.plan = plan
        self.values = values
        self.full_refresh = full_refresh
        self.display = display
        self.guard = interruptible(pond.con)
        self.run_id = str(uuid.uuid4())
        self.history = History(pond, catalog, project.name)
        self.last = self.history.last()
        self.built: set[str] = set()  # steps run in this run
        self.blocked: dict[str, str] = {}  # step: the step or check that failed
        self.results: list[StepResult] = []
        self.unsaved: list[StepResult] = []  # skipped steps, recorded with the next commit
        self.contents: dict[str, str] = {}  # fingerprints of tables from elsewhere
        self.is_rehearsal = False
        self.headline = self._ready(project.headline or "", "summary.headline")
        self.queries = tuple(self._ready(query, "summary.queries") for query in project.queries)
        self.began = time.perf_counter()

    def rehearse(self) -> RunResult:
        """Tell what would run and why."""
        self.is_rehearsal = True
        self._show_start()
        try:
            for node in self.plan.steps:
                reason, _ = self._decide(node)
                if reason is None:
                    self._finish(self._skipped(node))
                else:
                    self.built.add(node.key)
                    self._finish(StepResult(node.key, node.kind, "planned", reason, sql=node.sql))
        finally:
            self.display.stop()
        return self._result("planned")

    def perform(self, selection: str | None) -> RunResult:
        """Run what must run."""
        with self.history.alive(self.run_id):
            with self.pond.transaction():
                self.history.bury()
                schema = quote(self.catalog.name, self.catalog.schema)
                self.pond.con.execute(f"create schema if not exists {schema}").fetchall()
                self.history.start(self.run_id, self.values, selection, __version__)
            with self.guard, _silent_progress(self.pond):
                return self._perform()

    def _perform(self) -> RunResult:
        watcher = self.pond.on_progress
        self.pond.on_progress = self.display.progress
        self._show_start()
        try:
            for node in self.plan.steps:
                self._step(node)
            failed = [step for step in self.results if step.status == "failed"]
            error = "\n".join(self._complaint(step) for step in failed) or None
            self._save("failed" if failed else "succeeded", error)
        except KeyboardInterrupt:
            self.guard.settle()
            self._roll_back()
            self._save("interrupted", None)
            raise
        except BaseException as unexpected:
            self._save("failed", f"{type(unexpected).__name__}: {unexpected}")
            raise
        finally:
            self.pond.on_progress = watcher
            self.display.stop()
        result = self._result("failed" if failed else "succeeded")
        self.display.finish(result)
        if error is not None:
            raise RunFailedError(error, result)
        return result

    def _show_start(self) -> None:
        progress = self.pond.con.query_progress
        self.display.start(self.project, self.plan.steps, self.pond.database, progress)

    def _step(self, node: Node) -> None:
        if node.key in self.blocked:
            reason = f"{self.blocked[node.key]} failed"
            self._finish(StepResult(node.key, node.kind, "blocked", reason), unsaved=True)
            return
        why, now = self._decide(node)
        if why is None:
            self._finish(self._skipped(node), unsaved=True)
            return
        reason = why
        self.display.step_started(node, reason)
        started_at = utc_now()
        began = time.perf_counter()

        def ended(status: str, made: Made = NOTHING, error: str | None = None) -> StepResult:
            seconds = time.perf_counter() - began
            return StepResult(
                node.key,
                node.kind,
                status,
                reason,
                made.rows,
                seconds,
                error,
                node.sql,
                made.warning,
            )

        try:
            with self.pond.transaction():
                made = make(self.pond, self.catalog, node, self.values)
                result = ended("run", made)
                self.history.record(self.run_id, result, started_at, now)
                self._save_skipped()
            self.unsaved.clear()
            self.built.add(node.key)
            if node.kind in ("seed", "python"):  # these may change tables from elsewhere
                self.contents.clear()
        except (Exception, KeyboardInterrupt) as error:  # whatever it is, the others must go on
            if self.guard.caused(error):
                self.guard.settle()
                self._roll_back()  # Ctrl-C may have come in the middle of rolling back
                result = ended("interrupted", error="interrupted")
                self._record_alone(result, started_at, now)
                self._finish(result)
                raise KeyboardInterrupt from error
            found = Made(error.rows) if isinstance(error, RuleBrokenError) else NOTHING
            result = ended("failed", found, f"{error}" or type(error).__name__)
            self._record_alone(result, started_at, now)
            self._block(node)
        self._finish(result)

    def _roll_back(self) -> None:
        if _in_transaction(self.pond):
            self.pond.con.rollback()

    def _decide(self, node: Node) -> tuple[str | None, Fingerprint]:
        """Why the step must run, or None, and its fingerprint."""
        last = self.last.get(node.key, Attempt())
        inputs = {name: self._identity(name, step) for name, step in node.inputs.items()}
        now = fingerprint(node, inputs, __version__)
        is_there = exists(node, self.catalog)
        if node.kind == "seed" and is_there and last.status is None:
            return None, now  # loaded by hand, perhaps changed by hand: not ours to replace
        reason = reason_to_run(
            node,
            now,
            last.made_from,
            last_status=last.status,
            full_refresh=self.full_refresh,
            is_there=is_there,
            describe_input=lambda name: self._what_changed(name, node.inputs[name]),
        )
        return reason, now

    def _identity(self, name: str, step: str | None) -> str:
        """What tells the contents of an input now from those at another time."""
        if step is not None and not step.startswith("seed "):
            if step in self.built:
                return self.run_id
            return self.last.get(step, Attempt()).run_id or "never built"
        if name not in self.contents:
            self.contents[name] = (
                self.catalog.model_version(name.removeprefix("model "))
                if name.startswith("model ")
                else self.catalog.fingerprint(name)
            )
        return self.contents[name]

    def _what_changed(self, name: str, step: str | None) -> str:
        if step is None:
            return f"input {shown(name)} changed"
        if step.startswith("seed "):
            return f"seed table {name} changed"
        return f"input {name} {'will be' if self.is_rehearsal else 'was'} rebuilt"

    def _skipped(self, node: Node) -> StepResult:
        loaded_by_hand = node.kind == "seed" and node.key not in self.last
        reason = "the tables are there already" if loaded_by_hand else UNCHANGED
        warning = self.last.get(node.key, Attempt()).warning  # what it found is there still
        return StepResult(node.key, node.kind, "skipped", reason, warning=warning)

    def _block(self, node: Node) -> None:
        """Keep everything from running that needs what failed, or what a check found wanting."""
        doubtful = {node.key} | (set(node.needs) if node.kind == "check" else set())
        done = {step.name for step in self.results}
        for key in doubtful:
            for later in self.plan.after(key) - done - {node.key}:
                self.blocked.setdefault(later, node.key)

    def _finish(self, result: StepResult, unsaved: bool = False) -> None:
        self.results.append(result)
        if unsaved:
            self.unsaved.append(result)
        self.display.step_finished(result)

    def _record_alone(self, result: StepResult, started_at: dt.datetime, now: Fingerprint) -> None:
        with self.pond.transaction():
            self.history.record(self.run_id, result, started_at, now)
            self._save_skipped()
        self.unsaved.clear()

    def _save_skipped(self) -> None:
        for result in self.unsaved:
            self.history.record(self.run_id, result, utc_now(), None)

    def _save(self, status: str, error: str | None) -> None:
        with self.pond.transaction():
            self._save_skipped()
            self.history.finish(self.run_id, status, error)
        self.unsaved.clear()

    def _complaint(self, step: StepResult) -> str:
        what = f"{'check' if step.kind == 'check' else 'step'} {step.name.removeprefix('checks/')}"
        node = next(node for node in self.plan.nodes if node.key == step.name)
        where = f" ({node.file.path})" if node.file else ""
        return f"pipeline {self.project.name}: {what} failed{where}: {step.error}"

    def _result(self, status: str) -> RunResult:
        headline: tuple[tuple[str, object], ...] = ()
        if status == "succeeded" and self.headline:
            headline = self._first_row(self.headline)
        return RunResult(
            self.project.name,
            self.run_id,
            status,
            tuple(self.results),
            time.perf_counter() - self.began,
            self.pond.database,
            headline,
            self.queries,
        )

    def _ready(self, sql: str, key: str) -> str:
        """A query of pipeline.toml, filled in; what is wrong with it is said in time."""
        where = f"pipeline {self.project.name}: {key}"
        return fill(self.pond, self.project.folder, sql, self.values, where).strip()

    def _first_row(self, sql: str) -> tuple[tuple[str, object], ...]:
        try:
            cursor = self.pond.con.execute(sql)
            names = [column[0] for column in cursor.description or ()]
            rows = cursor.fetchall()
        except duckdb.Error:  # with a selection, what it reads may not be there yet
            return ()
        return tuple(zip(names, rows[0], strict=True)) if rows else ()

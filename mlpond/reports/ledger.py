"""What a page says of the runs themselves: when, with what, what was made, what was checked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import duckdb

from mlpond.pipelines.runner.project import Project
from mlpond.reports import words
from mlpond.reports.content import Check, TableView
from mlpond.reports.past import Past, Step
from mlpond.reports.tables import written


@dataclass(frozen=True)
class Ledger:
    """The runs of a pipeline as a page shows them.

    Attributes:
        project: The pipeline.
        past: Its runs.
        made: Its steps, without those whose file has gone.
        database: The file.
    """

    project: Project
    past: Past
    made: Mapping[str, Step]
    database: str

    def provenance(self) -> tuple[tuple[str, str], ...]:
        """When, how long, from what."""
        last = self.past.last
        facts = [("Run", f"{words.moment(last.started_at)} UTC")]
        if last.seconds is not None:
            facts.append(("Took", words.duration(last.seconds)))
        if last.selection:
            facts.append(("Steps selected", last.selection))
        facts.append(("Database", self.database))
        facts.append(("mlpond", last.version))
        facts.append(("DuckDB", duckdb.__version__))
        return tuple(facts)

    def parameters(self) -> TableView | None:
        """The values of the latest run."""
        if not self.project.parameters:
            return None
        rows = [
            (p.name, str(self.past.last.parameters.get(p.name, p.default)), str(p.default),
             p.meaning)
            for p in self.project.parameters
        ]  # fmt: skip
        return written("parameters", ("parameter", "value", "default", "meaning"), rows)

    def run_sentences(self) -> list[str]:
        """What was made, in words."""
        steps = self.made.values()
        made = [step for step in steps if step.kind in ("table", "view", "python")]
        trained = [step for step in steps if step.kind == "model"]
        rows = sum(step.rows or 0 for step in made)
        text = f"The pipeline made {words.count(len(made), 'table')} of {rows:,} rows in all"
        if trained:
            text += f" and trained {words.count(len(trained), 'model')}"
        checks = [step for step in steps if step.kind == "check"]
        kept = sum(step.status == "run" and step.warning is None for step in checks)
        warned = sum(step.status == "run" and step.warning is not None for step in checks)
        if checks:
            text += f"; {kept} of {words.count(len(checks), 'check')} passed"
            text += f" and {warned} warned" if warned else ""
        return [f"{text}."]

    def checks(self) -> list[Check]:
        """Every rule of the pipeline, and whether it is kept."""
        found = []
        for file in self.project.files:
            if file.kind != "check":
                continue
            step = self.made.get(file.key)
            description = " ".join(file.description.split("\n\n")[0].split())
            if step is None:
                found.append(Check(file.name, description, "not run", ""))
                continue
            at = f"{words.moment(step.attempted_at)} UTC"
            blocked = step.last_status == "blocked"
            status = {"run": "passed"}.get(step.status, step.status)
            detail = f"last {at}; blocked since, for what it reads failed" if blocked else at
            if step.status == "failed":
                detail = f"{at}: {step.error}"
            elif step.status == "run" and step.warning is not None:
                status, detail = "warned", f"{detail}: {step.warning}"
            found.append(Check(file.name, description, status, detail))
        return found

    def runs(self) -> TableView:
        """The latest runs."""
        defaults = {p.name: str(p.default) for p in self.project.parameters}
        rows = []
        for run in self.past.runs:
            changed = [
                f"{name} = {value}"
                for name, value in run.parameters.items()
                if defaults.get(name, "").lower() != value.lower()
            ]
            rows.append(
                (
                    words.moment(run.started_at), run.status,
                    None if run.seconds is None else words.duration(run.seconds),
                    run.n_run, run.n_skipped, run.n_failed,
                    ", ".join(changed) or "defaults", run.version,
                )
            )  # fmt: skip
        head = ("started (UTC)", "status", "took", "run", "skipped", "failed", "parameters",
                "mlpond")  # fmt: skip
        table = written("runs", head, rows)
        n = self.past.n_runs
        note = f"The last {len(rows)} of {n} runs." if n > len(rows) else ""
        return TableView(table.name, table.headings, table.rows, note, "")

    def steps(self) -> TableView:
        """Every step, in the order in which they last ran."""
        rows = [
            (
                step.name, step.kind, step.status if step.status != "run" else "done", step.rows,
                None if step.seconds is None else words.duration(step.seconds),
                words.moment(step.attempted_at),
            )
            for step in self.made.values()
        ]  # fmt: skip
        head = ("step", "kind", "status", "rows", "took", "last run (UTC)")
        return written("steps", head, rows)

"""From a pipeline and its database to the content of a page."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from typing import TYPE_CHECKING

import duckdb

from mlpond import __version__
from mlpond.errors import InputError, PipelineError
from mlpond.pipelines.runner.catalog import Catalog
from mlpond.pipelines.runner.fragments import fill
from mlpond.pipelines.runner.names import typed
from mlpond.pipelines.runner.project import Project
from mlpond.pipelines.runner.report import ROWS, ChartSpec, SectionSpec
from mlpond.reports import models, words
from mlpond.reports.automatic import choose_chart, choose_sections
from mlpond.reports.charts import find_chart
from mlpond.reports.charts.chart import Source, draw
from mlpond.reports.charts.theme import to_svg
from mlpond.reports.content import Figure, Folded, Page, Section, TableView
from mlpond.reports.ledger import Ledger
from mlpond.reports.past import Past, Step, read_past
from mlpond.reports.tables import view
from mlpond.sql.templates.quoting import identifier
from mlpond.type_names import is_whole

if TYPE_CHECKING:
    from mlpond.session import Session

APPENDIX_ROWS = 5


def assemble(session: Session, project: Project) -> Page:
    """Read everything that a page shows.

    Raises:
        PipelineError: the pipeline has not run in this database, or a query of its report fails.
        InputError: a section names a column or a kind of chart that is not there.
    """
    catalog = Catalog(session, project.name)
    past = read_past(session.con, catalog, project)
    return _Assembly(session, project, catalog, past).page()


class _Assembly:
    """The page of one pipeline in the making."""

    def __init__(self, session: Session, project: Project, catalog: Catalog, past: Past) -> None:
        self.session = session
        self.con = session.con
        known = {file.key for file in project.files}
        # a step whose file has gone is no longer part of the pipeline
        self.made = {name: step for name, step in past.steps.items() if name in known}
        self.project = project
        self.catalog = catalog
        self.past = past
        self.spec = project.report
        self.values = past.values(project)
        self.descriptions = {file.key: file.description for file in project.files}
        self.n_figures = 0
        self.n_charts = 1
        self.facts: Mapping[str, object] = self.values

    def page(self) -> Page:
        """Everything, section by section."""
        project, last = self.project, self.past.last
        ledger = Ledger(project, self.past, self.made, self.session.database)
        sections = self.spec.sections or choose_sections(self.session, project, self.made)
        self.n_charts = 1 + sum(len(section.charts) or 4 for section in sections)
        self.facts = {**self.values, **self._first_row(self.spec.facts, "facts")}
        shown = tuple(
            self._section(section, f"section-{number}")
            for number, section in enumerate(sections, start=1)
        )
        used = {name for section in sections for name in (section.table, section.model) if name}
        rest = [
            step
            for step in self.made.values()
            if step.kind in ("table", "view", "python", "model") and step.name not in used
        ]
        self.session.report("report: tables", 0.95)
        return Page(
            title=self.spec.title or project.name.replace("_", " ").capitalize(),
            pipeline=project.name,
            description=project.description,
            lead=self._paragraphs(self.spec.text, "text"),
            status=last.status,
            error=last.error or "",
            facts=ledger.provenance(),
            parameters=ledger.parameters(),
            figures=tuple(
                (name, words.show(value))
                for name, value in self._first_row(project.headline, "summary.headline").items()
            ),
            sentences=tuple(ledger.run_sentences()),
            sections=shown,
            checks=tuple(ledger.checks()),
            tables=tuple(self._appendix(step) for step in rest),
            runs=ledger.runs(),
            steps=ledger.steps(),
            version=__version__,
        )

    def _ready(self, sql: str) -> str:
        """A query of pipeline.toml with its parameters and fragments in place."""
        filled = fill(self.session, self.project.folder, sql, self.values, "report: a query")
        rendered = filled.strip().rstrip(";")
        # it will stand in parentheses, and a comment at its end must not swallow the closing one
        return rendered + ("\n" if "--" in rendered else "")

    def _first_row(self, sql: str | None, where: str) -> dict[str, object]:
        if not sql:
            return {}
        try:
            cursor = self.con.execute(self._ready(sql))
            names = [column[0] for column in cursor.description or ()]
            rows = cursor.fetchall()
        except duckdb.CatalogException:  # not all steps have been run yet: the section says which
            return {}
        except duckdb.Error as error:
            raise PipelineError(
                f"report: {where} of {self.project.folder / 'pipeline.toml'}: {error}"
            ) from error
        return dict(zip(names, rows[0], strict=True)) if rows else {}

    def _paragraphs(self, text: str, where: str) -> tuple[str, ...]:
        filled = words.fill(text, self.facts, f"{where} of {self.project.name}") if text else ""
        return tuple(" ".join(part.split()) for part in filled.split("\n\n") if part.strip())

    def _section(self, spec: SectionSpec, anchor: str) -> Section:
        where = f"section {spec.title!r}"
        self.session.report(f"report: {spec.title}", min(0.9, self.n_figures / self.n_charts))
        missing = [
            name
            for name in dict.fromkeys([spec.table, spec.model, *(c.table for c in spec.charts)])
            if name is not None and not self._is_there(name)
        ]
        if missing:
            return Section(anchor, spec.title, warnings=(self._absent(missing),))
        figures: list[Figure] = []
        paragraphs = list(self._paragraphs(spec.text, where))
        warnings: list[str] = []
        if spec.model:
            said, drawn, warned = self._model(spec.model, with_charts=not spec.charts)
            paragraphs += said
            figures += drawn
            warnings += warned
        sql = self._query(spec.table, spec.query)
        charts = spec.charts
        tables: tuple[TableView, ...] = ()
        if sql is not None:
            tables = (self._view(spec.table or spec.title, sql, spec, bool(spec.table)),)
            if not self.spec.sections:
                charts = self._automatic_chart(sql, spec.title)
        figures += [self._declared(chart, spec, sql) for chart in charts]
        return Section(
            anchor=anchor,
            title=spec.title,
            paragraphs=tuple(paragraphs),
            notes=self._notes(spec.table or spec.model, spec.title),
            figures=tuple(figures),
            tables=tables,
            folded=tuple(self._folded(spec, charts)),
            warnings=(*warnings, *self._staleness(spec.table or spec.model)),
        )

    def _is_there(self, name: str) -> bool:
        step = self._step(name)
        if step is not None and step.kind == "model":
            return self.catalog.has_model(name)
        return self.catalog.kind(self.catalog.schema, name) is not None

    def _step(self, name: str | None) -> Step | None:
        return next(
            (step for key, step in self.made.items() if name and key.lower() == name.lower()),
            None,
        )

    def _absent(self, names: list[str]) -> str:
        verb = "is" if len(names) == 1 else "are"
        return (
            f"{words.listing(names)} {verb} not in the database: the step has not been run, or it "
            f"failed. mlpond run {self.project.name} --db {self.session.database} makes it."
        )

    def _query(self, table: str | None, query: str | None) -> str | None:
        if table is not None:
            return f"from {self.catalog.relation(table)}"
        return None if query is None else self._ready(query)

    def _view(self, name: str, sql: str, spec: SectionSpec, is_table: bool) -> TableView:
        command = ""
        if is_table:
            query = shlex.quote(f"FROM {typed(self.project.name, name)}")
            command = f"mlpond sql {query} --db {shlex.quote(self.session.database)}"
        try:
            return view(
                self.con, sql, name, rows=spec.rows, columns=spec.columns,
                units=self.spec.units, command=command,
            )  # fmt: skip
        except duckdb.Error as error:
            raise PipelineError(f"report: section {spec.title!r}: {error}") from error

    def _automatic_chart(self, sql: str, title: str) -> tuple[ChartSpec, ...]:
        source = Source(self.con, sql, title)
        n = source.row(f"select count(*) as n from {source.relation}")["n"]
        kinds = {
            column: self._kind(source, column, n)
            for column, type_ in source.types.items()
            if not type_.endswith("]") and not type_.startswith(("STRUCT", "MAP"))
        }
        chart = choose_chart(kinds, n) if kinds else None
        return () if chart is None else (chart,)

    def _kind(self, source: Source, column: str, n: int) -> str:
        """What the choice of a chart has to know of a column."""
        if source.types[column] == "BOOLEAN":
            return "boolean"
        kind = source.kind(column)
        if kind == "quantitative":
            return "integer" if is_whole(source.types[column]) else "number"
        if kind == "nominal":
            query = f"select count(distinct {identifier(column)}) as n from {source.relation}"
            return "key" if source.row(query)["n"] == n else "text"
        return kind

    def _declared(self, chart: ChartSpec, section: SectionSpec, sql: str | None) -> Figure:
        where = f"section {section.title!r}"
        own = self._query(chart.table, chart.query)
        name = chart.table or (section.table if own is None else None) or where
        source = own if own is not None else sql
        if source is None:
            raise InputError(f"report: {where}: chart {chart.kind} has no rows to show.")
        settings = {key: self._fact(value) for key, value in chart.settings.items()}
        return self._figure(chart.kind, source, name, settings, chart.title or "")

    def _fact(self, value: object) -> object:
        """A setting such as reference = "{confidence_level}" is a fact or a parameter."""
        if isinstance(value, str) and value.startswith("{") and value[1:-1] in self.facts:
            return self.facts[value[1:-1]]
        return value

    def _figure(
        self, kind: str, sql: str, name: str, settings: Mapping[str, object], title: str
    ) -> Figure:
        self.n_figures += 1
        done = min(0.9, self.n_figures / self.n_charts)
        self.session.report(f"report: {kind} of {name}", done)
        drawing = draw(kind, find_chart(kind, name), Source(self.con, sql, name), settings)
        svg = to_svg(drawing.chart, drawing.summary, self.n_figures)
        return Figure(svg, title, drawing.summary)

    def _model(self, name: str, with_charts: bool) -> tuple[list[str], list[Figure], list[str]]:
        model = models.find_model(self.session, name)
        if model is None:
            return [], [], [self._absent([name])]
        said = models.sentences(self.session, model)
        warned = list(model.warnings)
        if not with_charts:
            return said, [], warned
        with models.predictions(self.session, model) as problem:
            if problem and model.label:
                warned.append(f"No charts of predictions: {problem}")
            figures = [
                self._figure(chart.kind, chart.sql, name, chart.settings, chart.title)
                for chart in models.charts(self.session, model, problem)
            ]
        return said, figures, warned

    def _notes(self, name: str | None, title: str) -> tuple[str, ...]:
        """The description of a step, in paragraphs; without its first line if that is the title."""
        step = self._step(name)
        text = self.descriptions.get(step.name if step else name or "", "")
        lines = text.splitlines()
        if lines and lines[0].strip() == title:
            lines = lines[1:]
        text = re.sub(r"\n(?=(Notice|The limit|The limits|Source):)", "\n\n", "\n".join(lines))
        return tuple(" ".join(part.split()) for part in text.split("\n\n") if part.strip())

    def _folded(self, spec: SectionSpec, charts: tuple[ChartSpec, ...]) -> list[Folded]:
        """The SQL of a section's table, model and charts, each once."""
        found: dict[str, str] = {}
        for name in (spec.table, spec.model, *(chart.table for chart in charts)):
            step = self._step(name)
            if step is not None and step.sql:
                found[step.name] = step.sql
        texts = [Folded(f"SQL of {name}", sql) for name, sql in found.items()]
        queries = {spec.query: "Query of the table"} if spec.query else {}
        for chart in charts:
            if chart.query:
                queries.setdefault(chart.query, f"Query of the chart: {chart.title or chart.kind}")
        return texts + [Folded(title, self._ready(query)) for query, title in queries.items()]

    def _staleness(self, name: str | None) -> list[str]:
        """What was made with other parameters, or failed since."""
        step = self._step(name)
        if step is None:
            return []
        now = self.past.last.parameters
        other = [
            f"{parameter} = {value}, not {now[parameter]}"
            for parameter, value in step.parameters.items()
            if parameter in now and now[parameter] != value
        ]
        found = []
        if other:
            found.append(f"{step.name} was made with {words.listing(other)}, by an earlier run.")
        if step.status != "run":
            found.append(f"The last attempt at {step.name} ended: {step.status}. {step.error}")
        return found

    def _appendix(self, step: Step) -> Section:
        anchor = f"table-{re.sub('[^a-zA-Z0-9_]', '-', step.name)}"
        if not self._is_there(step.name):
            return Section(anchor, step.name, warnings=(self._absent([step.name]),))
        tables: tuple[TableView, ...] = ()
        paragraphs: tuple[str, ...] = ()
        if step.kind == "model":
            model = models.find_model(self.session, step.name)
            paragraphs = tuple(models.sentences(self.session, model)) if model else ()
        else:
            spec = SectionSpec(step.name, table=step.name, rows=min(ROWS, APPENDIX_ROWS))
            sql = self._query(step.name, None) or ""
            tables = (self._view(step.name, sql, spec, True),)
        return Section(
            anchor=anchor,
            title=step.name,
            paragraphs=paragraphs,
            notes=self._notes(step.name, step.name),
            tables=tables,
            folded=(Folded(f"SQL of {step.name}", step.sql),) if step.sql else (),
            warnings=tuple(self._staleness(step.name)),
        )

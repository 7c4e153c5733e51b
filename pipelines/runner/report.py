"""What a pipeline's report shows, as [report] of pipeline.toml declares it.

    [report]
    title = "Late flights"                        # the pipeline's name without it
    text = "Of {flights:,} flights {late:.0%} …"  # opens the page
    facts = "select count(*) as flights, …"       # one row: what texts have in braces
    units = { total_cost = "USD" }                # of columns whose name does not tell

    [[report.sections]]
    title = "How well does it rank?"
    text = "The area under the curve is {roc_auc:.3f}."
    table = "evaluation"                          # a step; or query = "select …"
    columns = ["method", "roc_auc"]               # of the table; all without it
    rows = 10                                     # at most
    model = "late_arrival"                        # what there is to say of a model

    [[report.sections.charts]]
    kind = "roc"                                  # see mlpond.reports.charts
    table = "scores"                              # or query; the section's without it
    label = "is_late"                             # the settings of its kind
    score = "probability"

A setting that is a name in braces, such as reference = "{confidence_level}", is that fact or
parameter. Only the shape is checked here; kinds of charts and their settings are checked when they
are drawn, for the runner does not need the libraries that draw.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mlpond.errors import PipelineError
from mlpond.pipelines.runner.names import suggest

_REPORT = ("title", "text", "facts", "units", "sections")
_SECTION = ("title", "text", "table", "query", "model", "columns", "rows", "charts")
ROWS = 20
"""Rows of a table that a report shows, unless its section says how many."""


@dataclass(frozen=True)
class ChartSpec:
    """A chart of a section; ``settings`` are those of its kind."""

    kind: str
    settings: Mapping[str, Any]
    title: str | None = None
    table: str | None = None
    query: str | None = None


@dataclass(frozen=True)
class SectionSpec:
    """A section: a sentence, charts, and a table or a model."""

    title: str
    text: str = ""
    table: str | None = None
    query: str | None = None
    model: str | None = None
    columns: tuple[str, ...] = ()
    rows: int = ROWS
    charts: tuple[ChartSpec, ...] = ()


@dataclass(frozen=True)
class ReportSpec:
    """A report; without sections they are chosen by what the pipeline makes."""

    title: str | None = None
    text: str = ""
    facts: str | None = None
    units: Mapping[str, str] = field(default_factory=dict)
    sections: tuple[SectionSpec, ...] = ()


def read_report(table: object, steps: Collection[str], path: Path) -> ReportSpec:
    """The report that the table [report] declares, for a pipeline with these steps.

    Raises:
        PipelineError: a key is unknown, a value of the wrong type, or a table is no step.
    """
    where = f"{path}: report"
    found = _table(table, where, _REPORT)
    units = _table(found.get("units", {}), f"{where}.units", None)
    for column in units:
        _text(units, column, f"{where}.units")
    return ReportSpec(
        title=_text(found, "title", where),
        text=_text(found, "text", where) or "",
        facts=_text(found, "facts", where),
        units=units,
        sections=tuple(
            _section(section, steps, f"{where}.sections[{number}]")
            for number, section in enumerate(_list(found, "sections", where), start=1)
        ),
    )


def _section(table: object, steps: Collection[str], where: str) -> SectionSpec:
    found = _table(table, where, _SECTION)
    title = _text(found, "title", where)
    if not title:
        raise PipelineError(f"{where}: title is missing; every section has one.")
    rows = found.get("rows", ROWS)
    if isinstance(rows, bool) or not isinstance(rows, int) or not 1 <= rows <= 1000:
        raise PipelineError(f"{where}: rows is {rows!r}; it must be an integer from 1 to 1000.")
    columns = _list(found, "columns", where)
    if not all(isinstance(column, str) for column in columns):
        raise PipelineError(f"{where}: columns is {columns!r}; it must be a list of names.")
    section = SectionSpec(
        title=title,
        text=_text(found, "text", where) or "",
        **_rows_from(found, steps, where),
        model=_step(found, "model", steps, where),
        columns=tuple(columns),
        rows=rows,
        charts=tuple(
            _chart(chart, steps, f"{where}.charts[{number}]")
            for number, chart in enumerate(_list(found, "charts", where), start=1)
        ),
    )
    for number, chart in enumerate(section.charts, start=1):
        if not (chart.table or chart.query or section.table or section.query):
            raise PipelineError(
                f"{where}.charts[{number}]: it has no rows to show; give table or query, here or "
                "for the section."
            )
    return section


def _chart(table: object, steps: Collection[str], where: str) -> ChartSpec:
    found = _table(table, where, None)
    kind = _text(found, "kind", where)
    if not kind:
        raise PipelineError(f'{where}: kind is missing, such as kind = "line".')
    settings = {
        key: value for key, value in found.items() if key not in ("kind", "title", "table", "query")
    }
    title = _text(found, "title", where)
    return ChartSpec(kind, settings, title, **_rows_from(found, steps, where))


def _rows_from(
    found: Mapping[str, Any], steps: Collection[str], where: str
) -> dict[str, str | None]:
    table, query = _step(found, "table", steps, where), _text(found, "query", where)
    if table and query:
        raise PipelineError(f"{where}: table and query are both given; give one.")
    return {"table": table, "query": query}


def _step(found: Mapping[str, Any], key: str, steps: Collection[str], where: str) -> str | None:
    name = _text(found, key, where)
    if name is not None and name.casefold() not in {step.casefold() for step in steps}:
        raise PipelineError(f"{where}: {key} {name!r} is no step; {suggest(name, steps)}")
    return name


def _table(value: object, where: str, keys: tuple[str, ...] | None) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise PipelineError(f"{where} is {value!r}; it must be a table.")
    for key in value:
        if keys is not None and key not in keys:
            raise PipelineError(f"{where}: unknown key {key}; {suggest(key, keys)}")
    return value


def _list(found: Mapping[str, Any], key: str, where: str) -> list[Any]:
    value = found.get(key, [])
    if not isinstance(value, list):
        raise PipelineError(f"{where}: {key} is {value!r}; it must be a list.")
    return value


def _text(found: Mapping[str, Any], key: str, where: str) -> str | None:
    value = found.get(key)
    if value is not None and not isinstance(value, str):
        raise PipelineError(f"{where}: {key} is {value!r}; it must be a string.")
    return value

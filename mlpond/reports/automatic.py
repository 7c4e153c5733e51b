"""What a report shows of a pipeline that does not say: its models, then its results.

A result is a table or view that no other step reads. Its chart follows from its columns; the
first rule that fits is taken, and no chart is better than a wrong one.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from mlpond.errors import MlpondError
from mlpond.pipelines.runner.names import folded
from mlpond.pipelines.runner.report import ChartSpec, SectionSpec
from mlpond.sql.templates.quoting import name_parts

if TYPE_CHECKING:
    from mlpond.pipelines.runner.project import Project
    from mlpond.reports.past import Step
    from mlpond.session import Session

FEW = 40
"""Rows that can be drawn as a bar or an interval each."""
_SIDE = ("ci_lower", "ci_upper", "standard_error", "df", "p_value", "log10_p_value")
"""What is said beside a result, and is none by itself."""
Kinds = Mapping[str, str]
"""Columns, each with number, integer, temporal, text, key (a text a row) or boolean."""


def choose_sections(
    session: Session, project: Project, steps: Mapping[str, Step]
) -> tuple[SectionSpec, ...]:
    """A section for each model and each result, in the order in which they were made."""
    read: set[tuple[str, ...]] = set()
    for step in steps.values():
        if step.kind != "check" and step.sql and step.kind != "python":
            read |= _reads(session, step.sql)
    sections = []
    for name, step in steps.items():
        title = _title(project, name)
        if step.kind == "model":
            sections.append(SectionSpec(title, model=name))
        is_relation = step.kind in ("table", "view", "python")
        if is_relation and folded(project.name, name) not in read:
            sections.append(SectionSpec(title, table=name))
    models = [section for section in sections if section.model]
    return (*models, *(section for section in sections if not section.model))


def _reads(session: Session, sql: str) -> set[tuple[str, ...]]:
    try:
        return {folded(*name_parts(name))[-2:] for name in session.references(sql).reads}
    except MlpondError:  # of a version that wrote other SQL; then nothing is known of it
        return set()


def _title(project: Project, name: str) -> str:
    """The first line of a step's description if it is a question, otherwise its name."""
    for file in project.files:
        if file.key == name and file.description:
            first = file.description.splitlines()[0]
            if first.endswith("?"):
                return first
    return name.replace("_", " ").capitalize()


def choose_chart(kinds: Kinds, n_rows: int) -> ChartSpec | None:
    """The chart that the columns of a table ask for, if any."""
    if n_rows < 2:
        return None
    for rule in (_roc, _interval, _importance, _line, _bar, _histogram):
        chart = rule(kinds, n_rows)
        if chart is not None:
            return chart
    return None


def _of(kinds: Kinds, *wanted: str) -> list[str]:
    return [column for column, kind in kinds.items() if kind in wanted]


def _numbers(kinds: Kinds) -> list[str]:
    """Numbers with a fraction before counts, and of the counts the last, which is the result."""
    found = _of(kinds, "number") + _of(kinds, "integer")[::-1]
    return [column for column in found if column.lower() not in _SIDE]


def _named(kinds: Kinds, *names: str) -> str | None:
    return next((column for column in kinds if column.lower() in names), None)


def _roc(kinds: Kinds, n_rows: int) -> ChartSpec | None:
    """One boolean label and a probability."""
    labels = [column for column in _of(kinds, "boolean") if not column.lower().startswith("pred")]
    score = _named(kinds, "probability", "score")
    if n_rows > FEW and len(labels) == 1 and score and kinds[score] == "number":
        return ChartSpec("roc", {"label": labels[0], "score": score})
    return None


def _interval(kinds: Kinds, n_rows: int) -> ChartSpec | None:
    """A text, an estimate and its bounds."""
    lower, upper = _named(kinds, "ci_lower"), _named(kinds, "ci_upper")
    texts, numbers = _of(kinds, "key"), _of(kinds, "number")
    if not (lower in numbers and upper in numbers and texts) or n_rows > FEW:
        return None
    estimate = _named(kinds, "estimate", "mean") or numbers[max(0, numbers.index(lower) - 1)]
    if estimate == lower:
        return None
    settings = {"label": texts[0], "estimate": estimate, "lower": lower, "upper": upper}
    return ChartSpec("interval", settings)


def _importance(kinds: Kinds, n_rows: int) -> ChartSpec | None:
    feature = _named(kinds, "feature", "processed_input")
    value = _named(kinds, "importance", "attribution", "weight")
    if feature and value and kinds[value] == "number":
        return ChartSpec("importance", {"feature": feature, "value": value})
    return None


def _line(kinds: Kinds, n_rows: int) -> ChartSpec | None:
    """A moment first, or an order, then numbers."""
    first = next(iter(kinds))
    numbers = [column for column in _numbers(kinds) if column != first]
    is_order = first.lower() in ("step", "iteration", "epoch", "day", "week", "month", "year")
    if numbers and n_rows > 2 and (kinds[first] == "temporal" or is_order):
        return ChartSpec("line", {"x": first, "y": numbers[0]})
    return None


def _bar(kinds: Kinds, n_rows: int) -> ChartSpec | None:
    """A text a row and a number."""
    texts, numbers = _of(kinds, "key"), _numbers(kinds)
    if len(texts) == 1 and numbers and n_rows <= FEW:
        return ChartSpec("bar", {"label": texts[0], "value": numbers[0]})
    return None


def _histogram(kinds: Kinds, n_rows: int) -> ChartSpec | None:
    numbers = [column for column in _numbers(kinds) if not column.lower().endswith("id")]
    if n_rows > FEW and numbers:
        return ChartSpec("histogram", {"x": numbers[0]})
    return None

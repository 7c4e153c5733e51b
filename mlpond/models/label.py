"""The label: what is predicted, and its classes."""

from __future__ import annotations

from mlpond.engine import Engine
from mlpond.errors import TrainingError
from mlpond.models.request import Request
from mlpond.models.task import Task
from mlpond.sql.templates.quoting import identifier, string


def check_rows(engine: Engine, request: Request, relation: str) -> int:
    """Count the rows of the query.

    Raises:
        TrainingError: there are none, or some have no label.
    """
    labelled = "count(*)" if request.label is None else f"count({identifier(request.label)})"
    total, present = engine.row(f"select count(*), {labelled} from {relation}")
    unlabelled = total - present
    if total == 0:
        raise TrainingError(f"{request.who}: the training query gives no rows.")
    if unlabelled:
        raise TrainingError(
            f"{request.who}: label {request.label} is NULL in {unlabelled} of {total} rows; leave "
            f"them out, for example with WHERE {request.label} IS NOT NULL."
        )
    return int(total)


def find_task(engine: Engine, request: Request, relation: str) -> Task:
    """Find out what is predicted: a number, or which classes.

    Raises:
        TrainingError: the label is not finite, or has one class or too many.
    """
    family = request.options.family
    if request.label is None:
        return Task(family.task)
    kind = dict(request.columns)[request.label]
    column = identifier(request.label)
    if family.label == "number":
        bad = engine.value(f"select count(*) from {relation} where not isfinite({column}::double)")
        if bad:
            raise TrainingError(
                f"{request.who}: label {request.label} is NaN or infinite in {bad} rows; "
                "leave them out of the query."
            )
        return Task("regression", request.label, str(kind))
    if kind.id in ("float", "double"):
        bad = engine.value(f"select count(*) from {relation} where not isfinite({column})")
        if bad:
            raise TrainingError(
                f"{request.who}: label {request.label} is NaN or infinite in {bad} rows, which is "
                "no class; leave them out of the query, or give the class a name."
            )
    found = engine.rows(
        f"select label::varchar, label from (select distinct {column} as label from {relation}) "
        f"order by label limit {family.max_classes + 1}"
    )
    classes = tuple(row[0] for row in found)
    if len(classes) < 2:
        raise TrainingError(
            f"{request.who}: label {request.label} has only the class {classes[0]!r}; "
            f"{family.name} needs rows of at least two."
        )
    if len(classes) > family.max_classes:
        raise TrainingError(
            f"{request.who}: label {request.label} has more than {family.max_classes} classes; "
            "for a number to be predicted use model_type = 'linear_reg'."
        )
    if len(classes) > 2 and request.options.values.get("calculate_p_values"):
        raise TrainingError(
            f"{request.who}: calculate_p_values needs two classes, but label {request.label} has "
            f"{len(classes)}; leave the option out."
        )
    return Task("binary" if len(classes) == 2 else "multiclass", request.label, str(kind), classes)


def label_sql(request: Request, task: Task) -> str:
    """Write the label as a number: its value, or the index of its class; 0 if there is none."""
    if request.label is None:
        return "0e0"
    column = identifier(request.label)
    if task.kind == "regression":
        return f"{column}::double"
    if task.kind == "binary":
        return f"({column}::varchar = {string(task.classes[1])})::double"
    names = ", ".join(string(text) for text in task.classes)
    return f"enum_code({column}::varchar::enum({names}))::double"

"""Columns of the query that are no features but numbers of a row: weights, offsets, exposures."""

from __future__ import annotations

from mlpond.engine import Engine
from mlpond.errors import InputError, TrainingError
from mlpond.models import features
from mlpond.models.request import Request
from mlpond.models.task import Task
from mlpond.sql.templates.quoting import double, identifier, string


def number_column(
    engine: Engine, request: Request, relation: str, option: str, bad: str, need: str
) -> str | None:
    """Write the column that an option names as a DOUBLE; None if the option is not given.

    Args:
        engine: Looks at the rows.
        request: The statement.
        relation: All rows, training and held out.
        option: The option.
        bad: SQL of what its value ``v`` must not be, besides NULL, NaN and infinite.
        need: What it must be, for messages.

    Raises:
        InputError: the column is not a number.
        TrainingError: a row has a value that it must not have.
    """
    wanted = request.options.values.get(option)
    if wanted is None:
        return None
    name = next(column for column, _ in request.columns if column.lower() == wanted.lower())
    kind = dict(request.columns)[name]
    if not features.is_number(kind):
        raise InputError(f"{request.who}: {option} {name} has type {kind}; it must be a number.")
    column = f"{identifier(name)}::double"
    nulls, odd, wrong = engine.row(
        "select count(*) - count(v), count(*) filter (not isfinite(v)), "
        f"count(*) filter (isfinite(v) and ({bad})) from (select {column} as v from {relation})"
    )
    for number, what in ((nulls, "NULL"), (odd, "NaN or infinite"), (wrong, f"not {need}")):
        if number:
            raise TrainingError(
                f"{request.who}: {option} {name} is {what} in {number} rows; it must be {need} in "
                "every row. Mend it in the query, or leave those rows out."
            )
    return column


def instance_weight(engine: Engine, request: Request, relation: str) -> str | None:
    """Write the weight that each row is given; None if there is none.

    Raises:
        TrainingError: a weight is NULL, not finite or negative, or all are 0.
    """
    weight = number_column(
        engine, request, relation, "instance_weight_col", "v < 0", "a finite number of at least 0"
    )
    if weight is not None and not engine.value(f"select max({weight}) > 0 from {relation}"):
        raise TrainingError(
            f"{request.who}: instance_weight_col {request.options['instance_weight_col']} is 0 in "
            "every row; at least one weight must be above 0."
        )
    return weight


def weight_sql(
    engine: Engine, request: Request, task: Task, rows: str, weight: str | None
) -> str | None:
    """Write the weight of a row: its own times that of its class; None where all are 1.

    Args:
        engine: Counts the classes.
        request: The statement.
        task: What is predicted.
        rows: The training rows.
        weight: The instance weight; balanced classes have equal sums of it.
    """
    options = request.options
    if task.kind not in ("binary", "multiclass") or request.label is None:
        return weight
    column = f"{identifier(request.label)}::varchar"
    if options.values.get("class_weights"):
        weights = dict(options["class_weights"])
        for text in weights:
            if text not in task.classes:
                raise InputError(
                    f"{request.who}: class_weights names the class {text!r}; "
                    f"the label has {', '.join(task.classes)}."
                )
        weights = {text: weights.get(text, 1.0) for text in task.classes}
    elif options.values.get("auto_class_weights"):
        counted = "count(*)" if weight is None else f"sum({weight})"
        counts = dict(engine.rows(f"select {column}, {counted} from {rows} group by all"))
        total = sum(counts.values())
        weights = {
            text: total / (n * len(task.classes)) if n > 0 else 0.0 for text, n in counts.items()
        }
    else:
        return weight
    cases = " ".join(f"when {string(text)} then {double(w)}" for text, w in weights.items())
    of_class = f"case {column} {cases} end"
    return of_class if weight is None else f"{weight} * {of_class}"

"""What there is to say of any model: how it was trained, how good it is, what it looks at.

Which charts apply is read from the functions that the model has in the file, so that a model type
of tomorrow has its report as soon as it has its functions.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import duckdb

from mlpond.models.task import PROBABILITIES, SCORES, ClassScores
from mlpond.reports import words
from mlpond.sql.templates.quoting import identifier, string

if TYPE_CHECKING:
    from mlpond.session import Session

PREDICTED = "mlpond_report_predictions"
"""A temporary table: a model scores the rows held out once, whatever the number of charts."""


@dataclass(frozen=True)
class ModelChart:
    """A chart of a model: its kind, the query of its rows, its settings, its title."""

    kind: str
    sql: str
    settings: dict[str, Any]
    title: str


@dataclass(frozen=True)
class Model:
    """The default version of a model, as ml.models has it."""

    name: str
    version: int
    model_type: str
    task: str
    label: str
    classes: tuple[str, ...]
    n_features: int
    training_rows: int
    evaluation_rows: int
    iterations: int
    seconds: float
    warnings: tuple[str, ...]
    evaluation_query: str
    functions: frozenset[str]
    class_scores: ClassScores

    @property
    def judged_on(self) -> str:
        """Which rows the numbers are of."""
        return "rows held out" if self.evaluation_rows else "training rows, which flatter it"


def find_model(session: Session, name: str) -> Model | None:
    """The default version of a model, or None if there is none of this name."""
    rows = session.engine.rows(
        """
        select name, version, model_type, task, label, classes, len(features), training_rows,
            evaluation_rows, iterations, seconds, warnings, evaluation_query,
        from ml.models
        where lower(name) = lower(?) and list_contains(aliases, 'default')
        """,
        [name],
    )
    if not rows:
        return None
    row = rows[0]
    functions = session.engine.rows(
        "select distinct function_name from duckdb_functions() "
        "where schema_name = 'ml' and ends_with(function_name, ?)",
        [f"_{row[0]}"],
    )
    suffix = f"_{row[0]}"
    suffix = f"_{row[0]}"
    return Model(
        name=row[0],
        version=row[1],
        model_type=row[2],
        task=row[3],
        label=row[4],
        classes=tuple(map(str, row[5] or ())),
        n_features=row[6],
        training_rows=row[7],
        evaluation_rows=row[8],
        iterations=row[9],
        seconds=row[10],
        warnings=tuple(row[11] or ()),
        evaluation_query=row[12],
        functions=frozenset(found[0].removesuffix(suffix) for found in functions),
        class_scores=_class_scores(session, row[0], row[4], row[12]),
    )


def _class_scores(session: Session, name: str, label: str, data: str) -> ClassScores:
    """Whether a classifier gives probabilities or scores, by the columns of its predictions."""
    try:
        query = f"describe from ml.predict({string(name)}, {string(data)})"
        columns = {row[0] for row in session.engine.rows(query)}
    except duckdb.Error:  # no such function, or its rows may have gone
        columns = set()
    return SCORES if SCORES.column(label) in columns else PROBABILITIES


def sentences(session: Session, model: Model) -> list[str]:
    """How the model was trained and how good it is, in words."""
    what = f" {model.label} from" if model.label else " from"
    text = (
        f"{model.name} (version {model.version}, {model.model_type.lower()}) learned{what} "
        f"{words.count(model.training_rows, 'row')} and {words.count(model.n_features, 'feature')}"
        f" in {words.duration(model.seconds)}"
    )
    text += f", {words.count(model.iterations, 'iteration')}." if model.iterations else "."
    found = [text]
    metrics = _metrics(session, model) if "evaluate" in model.functions else {}
    if metrics:
        listed = words.listing(
            [f"{name.replace('_', ' ')} {words.show(value)}" for name, value in metrics.items()]
        )
        n = f"{model.evaluation_rows:,} " if model.evaluation_rows else "the "
        found.append(f"On {n}{model.judged_on}: {listed}.")
    return found


def _metrics(session: Session, model: Model) -> dict[str, object]:
    try:
        cursor = session.con.execute(f"from ml.evaluate({string(model.name)})")
    except duckdb.Error:  # its rows may have gone; the table of predictions says so
        return {}
    names = [column[0] for column in cursor.description or ()]
    rows = cursor.fetchall()
    if len(rows) != 1:
        return {}
    pairs = zip(names, rows[0], strict=True)
    return {name: value for name, value in pairs if isinstance(value, (int, float))}


@contextmanager
def predictions(session: Session, model: Model) -> Iterator[str]:
    """Score the rows on which the model is judged; yields why it cannot be done, or ''."""
    problem = ""
    if not model.label or "predict" not in model.functions:
        problem = "it predicts no label"
    else:
        try:
            session.engine.execute(
                f"create or replace temp table {PREDICTED} as {_prediction_query(model)}"
            )
        except duckdb.Error as error:
            problem = f"{error}".splitlines()[0]
    try:
        yield problem
    finally:
        session.engine.drop_quietly(f"temp.{PREDICTED}")


def _prediction_query(model: Model) -> str:
    label, predicted = identifier(model.label), identifier(f"predicted_{model.label}")
    score = ""
    if model.task == "binary" and len(model.classes) == 2:
        scores = identifier(model.class_scores.column(model.label))
        score = (
            f", list_filter({scores}, lambda p: p.label::varchar = "
            f"{string(model.classes[1])})[1].{model.class_scores.field} as score"
        )
    return (
        f"select {label} as actual, {predicted} as predicted{score} "
        f"from ml.predict({string(model.name)}, {string(model.evaluation_query)}) "
        f"where {label} is not null"
    )


def charts(session: Session, model: Model, problem: str) -> list[ModelChart]:
    """The charts that apply; ``problem`` says why there are no predictions."""
    found: list[ModelChart] = []
    if model.label and not problem:
        of_task = _OF_TASK.get(model.task)
        found += of_task(model) if of_task else []
    if "weights" in model.functions:
        found += _weights(session, model)
    found += _training(session, model)
    return found


def _binary(model: Model) -> list[ModelChart]:
    if len(model.classes) != 2:
        return _multiclass(model)
    settings = {"label": "actual", "score": "score", "positive": model.classes[1]}
    sql = f"select actual::varchar as actual, predicted, score from {PREDICTED}"
    charts = [
        ModelChart("roc", sql, settings, "ROC curve"),
        ModelChart("precision_recall", sql, settings, "Precision and recall"),
    ]
    if model.class_scores == PROBABILITIES:  # a score is no probability that could be right
        charts.append(ModelChart("calibration", sql, settings, "Calibration"))
    return [*charts, *_multiclass(model)]


def _multiclass(model: Model) -> list[ModelChart]:
    settings = {"actual": "actual", "predicted": "predicted"}
    return [ModelChart("confusion_matrix", f"from {PREDICTED}", settings, "Confusion matrix")]


def _regression(model: Model) -> list[ModelChart]:
    settings = {"actual": "actual", "predicted": "predicted"}
    return [ModelChart("residuals", f"from {PREDICTED}", settings, "Residuals")]


_OF_TASK: dict[str, Callable[[Model], list[ModelChart]]] = {
    "binary": _binary,
    "multiclass": _multiclass,
    "regression": _regression,
}


def _weights(session: Session, model: Model) -> list[ModelChart]:
    """Standardised weights, one a category; only where there is one a feature and category."""
    name = string(model.name)
    columns = {
        row[0]
        for row in session.engine.rows(f"describe from ml.weights({name}, standardize := true)")
    } if _takes(session, model, "weights", "standardize") else set()  # fmt: skip
    if not {"processed_input", "weight", "category_weights"} <= columns or "class_label" in columns:
        return []
    sql = f"""
        select processed_input as feature, weight
        from ml.weights({name}, standardize := true)
        where weight is not null and processed_input <> '__INTERCEPT__'
        union all
        select processed_input || ' = ' || c.category, c.weight
        from (
            select processed_input, unnest(category_weights) as c
            from ml.weights({name}, standardize := true)
        )
    """
    settings = {"feature": "feature", "value": "weight"}
    return [ModelChart("importance", sql, settings, "Largest weights, of standardised features")]


def _takes(session: Session, model: Model, function: str, parameter: str) -> bool:
    rows = session.engine.rows(
        "select list_contains(parameters, ?) from duckdb_functions() "
        "where schema_name = 'ml' and function_name = ?",
        [parameter, f"{function}_{model.name}"],
    )
    return any(row[0] for row in rows)


def _training(session: Session, model: Model) -> list[ModelChart]:
    """The loss of each pass, where there was more than one."""
    sql = f"""
        select iteration, loss, eval_loss
        from ml.training_info
        where model = {string(model.name)} and version = {model.version}
            and training_run = (
                select max(training_run) from ml.training_info
                where model = {string(model.name)} and version = {model.version}
            )
    """
    if session.engine.value(f"select count(loss) from ({sql})") < 2:
        return []
    settings = {"x": "iteration", "training": "loss", "evaluation": "eval_loss"}
    return [ModelChart("learning_curve", sql, settings, "Loss while training")]

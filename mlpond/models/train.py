"""CREATE MODEL: check everything, learn the features, run the trainer, store the result."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import duckdb
import numpy as np

from mlpond import __version__
from mlpond.engine import Engine
from mlpond.errors import InputError, ModelError, StatementError, TrainingError
from mlpond.models import features, linear, profile, registry
from mlpond.models.linear import Task
from mlpond.models.macros import model_macros
from mlpond.models.options import Options, check_options
from mlpond.models.source import Source, columns_of, open_source
from mlpond.models.splits import Split, check_split_column, make_split
from mlpond.models.stream import Rows, train
from mlpond.models.transform import Transform, fit_transform, inputs, read_transform
from mlpond.sql.dialect.statements import CreateModel
from mlpond.sql.templates.installer import mark
from mlpond.sql.templates.quoting import double, identifier, string
from mlpond.udfs.linear.fit import Fit

MAX_CLASSES = 50  # BigQuery ML's limit

Report = Callable[[str, float | None], None]


@dataclass(frozen=True)
class Request:
    """A CREATE MODEL statement whose options and columns have been checked."""

    statement: CreateModel
    options: Options
    columns: list[tuple[str, Any]]
    label: str
    reserved: frozenset[str]  # columns that are no features, in lower case
    transform: Transform | None

    @property
    def who(self) -> str:
        """The statement's name in messages."""
        return f"CREATE MODEL {self.statement.name}"

    @property
    def input_columns(self) -> list[tuple[str, Any]]:
        """The columns of the query from which features are made."""
        free = [(name, kind) for name, kind in self.columns if name.lower() not in self.reserved]
        if self.transform is None:
            return free
        read = set(inputs(self.transform, [name for name, _ in free]))
        return [(name, kind) for name, kind in free if name in read]


def create_model(
    engine: Engine, statement: CreateModel, *, threads: int, report: Report
) -> registry.Version | None:
    """Train a model and store it; all of it or, after an error, nothing.

    Returns:
        The new version, or None if IF NOT EXISTS found the model there.

    Raises:
        MlpondError: the statement, the options or the data do not allow a model.
    """
    existing = registry.versions(engine, statement.name)
    if existing and statement.if_not_exists:
        return None
    if existing and not statement.or_replace:
        raise ModelError(
            f"CREATE MODEL {statement.name}: a model of this name exists already "
            f"(version {existing[-1].version}); CREATE OR REPLACE MODEL makes the next version."
        )
    request = check_request(engine, statement)
    started = time.perf_counter()
    with engine.transaction():
        name = existing[0].name if existing else statement.name
        version = registry.Version(name, existing[-1].version + 1 if existing else 1, ())
        _train_and_store(engine, request, version, existing, started, threads, report)
    return version


def check_request(engine: Engine, statement: CreateModel) -> Request:
    """Check a statement against the columns of its query, before any row is read."""
    who = f"CREATE MODEL {statement.name}"
    options = check_options(statement.name, statement.options)
    if statement.query is None:
        raise StatementError(f"{who}: the training query is missing; add AS SELECT ….")
    try:
        columns = columns_of(engine, statement.query)
    except duckdb.Error as error:
        raise InputError(f"{who}: DuckDB refused the training query: {error}") from error
    source = Source("", columns)
    label = source.column(f"{who}: input_label_cols: column", options.label)
    check_split_column(statement.name, columns, options)
    reserved = {label.lower()}
    if options["data_split_col"] is not None:
        reserved.add(options["data_split_col"].lower())
    kind = source.type_of(label)
    if options.model_type == "LINEAR_REG" and not features.is_number(kind):
        raise InputError(
            f"{who}: label {label} has type {kind}; linear_reg needs a number. "
            "For classes use model_type = 'logistic_reg'."
        )
    if options.model_type == "LOGISTIC_REG" and kind.id in ("list", "array", "struct", "map"):
        raise InputError(f"{who}: label {label} has type {kind}; logistic_reg needs a simple type.")
    transform = None
    if statement.transform is not None:
        transform = read_transform(statement.name, statement.transform, [name for name, _ in columns])
        passed = {item.alias.lower(): item for item in transform.items}
        for name in sorted(reserved):
            if name not in passed or passed[name].column is None:
                raise StatementError(
                    f"{who}: TRANSFORM must pass the column {name} through as it is; "
                    "add its bare name to the list."
                )
    request = Request(statement, options, columns, label, frozenset(reserved), transform)
    if not request.input_columns:
        raise InputError(f"{who}: the query has no column besides {label}; add features.")
    features.atoms(statement.name, request.input_columns, {}) if transform is None else None
    return request


def _train_and_store(
    engine: Engine,
    request: Request,
    version: registry.Version,
    existing: list[registry.Version],
    started: float,
    threads: int,
    report: Report,
) -> None:
    model, options = request.statement.name, request.options
    assert request.statement.query is not None
    query = request.statement.query
    with open_source(engine, query, request.columns) as source:
        report("reading the training rows", None)
        total, unlabelled = engine.row(
            f"select count(*), count(*) - count({identifier(request.label)}) from {source.relation}"
        )
        _check_rows(request, total, unlabelled)
        task = _task(engine, request, source.relation)
        split = make_split(engine, model, source.relation, source.columns, total, options)
        rows = split.training_rows(source.relation)
        n = engine.value(f"select count(*) from {rows}")
        held_out = split.evaluation_rows(source.relation)
        info, known = profile.feature_info(model, engine, rows, request.input_columns, n)
        transform, encoded, evaluation = request.transform, rows, held_out
        columns = request.input_columns
        if transform is not None:
            report("fitting TRANSFORM", None)
            transform = fit_transform(engine, rows, transform)
            encoded = f"({transform.query(rows)})"
            evaluation = f"({transform.query(held_out)})" if held_out else None
            known = {}
            columns = [
                (name, kind)
                for name, kind in columns_of(engine, encoded[1:-1])
                if name.lower() not in request.reserved
            ]
        atoms = _atoms(engine, request, encoded, columns, transform)
        learnt = profile.learn_features(
            model, engine, encoded, atoms, known,
            drop_most_frequent=options["category_encoding_method"] == "DUMMY_ENCODING",
            report=report,
        )  # fmt: skip
        design = Rows(encoded, learnt, _label_sql(request, task), _weight_sql(engine, request, task, rows))
        label_mean = 0.0
        if task.kind == "regression":
            label_mean = engine.value(f"select avg({design.label}) from {encoded}")
        run, warm = _warm_start(engine, request, existing, design, task)
        first = linear.first_pass(design, task, options, n, label_mean, warm)
        fit, durations = train(engine, first, design, evaluation, threads, report)
    report("storing the model", None)
    _store(engine, request, version, task, design, fit, durations, transform, split, info, run, total, n, started)


def _check_rows(request: Request, total: int, unlabelled: int) -> None:
    if total == 0:
        raise TrainingError(f"{request.who}: the training query gives no rows.")
    if unlabelled:
        raise TrainingError(
            f"{request.who}: label {request.label} is NULL in {unlabelled} of {total} rows; leave "
            f"them out, for example with WHERE {request.label} IS NOT NULL."
        )


def _task(engine: Engine, request: Request, relation: str) -> Task:
    kind = dict(request.columns)[request.label]
    column = identifier(request.label)
    if request.options.model_type == "LINEAR_REG":
        bad = engine.value(f"select count(*) from {relation} where not isfinite({column}::double)")
        if bad:
            raise TrainingError(
                f"{request.who}: label {request.label} is NaN or infinite in {bad} rows; "
                "leave them out of the query."
            )
        return Task("regression", request.label, str(kind))
    found = engine.rows(
        f"select distinct {column}::varchar, {column} from {relation} order by {column} "
        f"limit {MAX_CLASSES + 1}"
    )
    classes = tuple(row[0] for row in found)
    if len(classes) < 2:
        raise TrainingError(
            f"{request.who}: label {request.label} has only the class {classes[0]!r}; "
            "logistic_reg needs rows of at least two."
        )
    if len(classes) > MAX_CLASSES:
        raise TrainingError(
            f"{request.who}: label {request.label} has more than {MAX_CLASSES} classes; "
            "for a number to be predicted use model_type = 'linear_reg'."
        )
    if len(classes) > 2 and request.options["calculate_p_values"]:
        raise TrainingError(
            f"{request.who}: calculate_p_values needs two classes, but label {request.label} has "
            f"{len(classes)}; leave the option out."
        )
    return Task("binary" if len(classes) == 2 else "multiclass", request.label, str(kind), classes)


def _atoms(
    engine: Engine,
    request: Request,
    relation: str,
    columns: list[tuple[str, Any]],
    transform: Transform | None,
) -> list[features.Atom]:
    lists = features.numeric_lists(columns)
    lengths = {}
    if lists:
        longest = engine.row(
            f"select {', '.join(f'max(len({identifier(name)}))' for name in lists)} from {relation}"
        )
        lengths = {name: int(n or 0) for name, n in zip(lists, longest, strict=True)}
    atoms = features.atoms(request.statement.name, columns, lengths)
    return atoms if transform is None else [_one_hot(atom, transform) for atom in atoms]


def _one_hot(atom: features.Atom, transform: Transform) -> features.Atom:
    """Read the vector of a one-hot encoder as the category it stands for, which is cheaper."""
    for item, learnt in zip(transform.items, transform.learnt, strict=True):
        whole = len(item.calls) == 1 and item.text.strip() == item.text[item.calls[0].start : item.calls[0].stop]
        if item.alias == atom.name and whole and item.calls[0].function == "ONE_HOT_ENCODER":
            names = {str(index): text for index, text in learnt[0].categories} | {"0": "_unknown"}
            entry = f"({atom.form})[1]"
            form = f"case when {entry}.value <> 0 then {entry}.index::varchar end"
            return features.Atom(atom.name, atom.input, form, "category", False, names)
    return atom


def _label_sql(request: Request, task: Task) -> str:
    column = identifier(request.label)
    if task.kind == "regression":
        return f"{column}::double"
    if task.kind == "binary":
        return f"({column}::varchar = {string(task.classes[1])})::double"
    names = ", ".join(string(text) for text in task.classes)
    return f"enum_code({column}::varchar::enum({names}))::double"


def _weight_sql(engine: Engine, request: Request, task: Task, rows: str) -> str | None:
    """Write the weight of a row by its class."""
    options, column = request.options, f"{identifier(request.label)}::varchar"
    if task.kind == "regression":
        return None
    if options["class_weights"]:
        weights = dict(options["class_weights"])
        for text in weights:
            if text not in task.classes:
                raise InputError(
                    f"{request.who}: class_weights names the class {text!r}; "
                    f"the label has {', '.join(task.classes)}."
                )
        weights = {text: weights.get(text, 1.0) for text in task.classes}
    elif options["auto_class_weights"]:
        counts = dict(engine.rows(f"select {column}, count(*) from {rows} group by all"))
        total = sum(counts.values())
        weights = {text: total / (n * len(task.classes)) for text, n in counts.items()}
    else:
        return None
    cases = " ".join(f"when {string(text)} then {double(w)}" for text, w in weights.items())
    return f"case {column} {cases} end"


def _warm_start(
    engine: Engine,
    request: Request,
    existing: list[registry.Version],
    rows: Rows,
    task: Task,
) -> tuple[int, tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]] | None]:
    """Return the number of the training run, and the coefficients to start from."""
    if not request.options["warm_start"] or not existing:
        return 0, None
    last = next(v for v in existing if registry.DEFAULT in v.aliases)
    kind, label, run = engine.row(
        "select model_type, label, training_run from ml.models where name = ? and version = ?",
        [last.name, last.version],
    )
    if (kind, label) != (request.options.model_type, request.label):
        raise ModelError(
            f"{request.who}: warm_start needs the same model_type and label; version "
            f"{last.version} is a {kind} of {label}."
        )
    stored = {
        (row[0], row[1], row[2]): row[3]
        for row in engine.rows(
            "select class_label, processed_input, category, weight from ml.coefficients "
            "where model = ? and version = ?",
            [last.name, last.version],
        )
    }
    listed = list(linear.columns(rows))
    classes = task.class_labels
    weights = np.zeros((len(classes), len(listed)))
    intercept = np.zeros(len(classes))
    for k, label_ in enumerate(classes):
        intercept[k] = stored.get((label_, linear.INTERCEPT, None), 0.0)
        for j, (feature, _, category) in enumerate(listed):
            value = stored.get((label_, feature.atom.name, category))
            if value is None and feature.atom.kind == "numeric":
                raise ModelError(
                    f"{request.who}: warm_start needs the same features; version {last.version} "
                    f"has none named {feature.atom.name}."
                )
            weights[k, j] = value or 0.0
    return run + 1, (weights, intercept)


def _store(
    engine: Engine,
    request: Request,
    version: registry.Version,
    task: Task,
    rows: Rows,
    fit: Fit,
    durations: list[int],
    transform: Transform | None,
    split: Split,
    info: list[tuple[Any, ...]],
    run: int,
    total: int,
    n: int,
    started: float,
) -> None:
    name, number, options = version.name, version.version, request.options
    query = f"({request.statement.query})"
    evaluation = split.evaluation_rows(query) or query
    said = linear.warnings_of(rows, fit)
    if n <= rows.layout.width:
        said.append(
            f"few_rows: {n} training rows for {rows.layout.width} columns; the fit is not determined"
        )
    seconds = time.perf_counter() - started
    given = {key: _plain(value) for key, value in request.statement.options.items()}
    record = {
        "name": name, "version": number, "model_type": options.model_type, "task": task.kind,
        "label": task.label, "label_type": task.label_type, "classes": list(task.classes) or None,
        "features": [column for column, _ in request.input_columns], "aliases": [],
        "training_rows": n, "evaluation_rows": total - n, "training_run": run,
        "iterations": len(fit.iterations), "loss": fit.loss, "seconds": seconds,
        "seed": options["seed"], "warnings": said, "options": json.dumps(given),
        "transform": request.statement.transform, "query": request.statement.query,
        "evaluation_query": evaluation, "description": options["description"],
        "labels": json.dumps(_plain(options["labels"])) if options["labels"] else None,
        "mlpond_version": __version__,
    }  # fmt: skip
    listed = ", ".join(record)
    marks = ", ".join(f"${i + 1}" for i in range(len(record)))
    engine.execute(
        f"insert into ml.models ({listed}, created_at, duckdb_version) "
        f"values ({marks}, make_timestamp(epoch_us(current_timestamp)), version())",
        list(record.values()),
    )
    key = (name, number)
    _insert_training_info(engine, key, run, fit, durations)
    registry.insert(
        engine, "features",
        ("model", "version", "position", "input", "type", "min", "max", "mean", "median", "stddev",
         "category_count", "null_count", "dimension"),
        [key + row for row in info],
    )  # fmt: skip
    registry.insert(
        engine, "coefficients",
        ("model", "version", "class_label", "position", "processed_input", "category", "weight",
         "standardized_weight", "standard_error", "standardized_error", "statistic", "p_value",
         "ci_lower", "ci_upper"),
        [key + row for row in linear.coefficient_rows(rows, task, fit)],
    )  # fmt: skip
    registry.insert(
        engine, "fit_statistics", ("model", "version", "name", "value"),
        [key + pair for pair in linear.fit_statistics(task, fit).items()],
    )  # fmt: skip
    if transform is not None:
        registry.insert(
            engine, "transform_state",
            ("model", "version", "output", "call", "function", "key", "position", "number", "text"),
            [key + row for row in _transform_rows(transform)],
        )  # fmt: skip
    body = linear.prediction_body(
        rows, task, fit, model=name, version=number, source=mark("data"),
        threshold=mark("threshold"),
        transform=transform.select_list(request.reserved) if transform else [],
    )  # fmt: skip
    registry.install_macros(engine, version, model_macros(version, task, body, evaluation))
    registry.point_alias(engine, version, registry.DEFAULT)


def _insert_training_info(
    engine: Engine, key: tuple[str, int], run: int, fit: Fit, durations: list[int]
) -> None:
    # passes that only prepare (a sample, line-search trials) belong to the iteration they led to
    spare = max(0, len(durations) - len(fit.iterations))
    times = [sum(durations[: spare + 1]), *durations[spare + 1 :]]
    rows = []
    for index, step in enumerate(fit.iterations):
        duration = times[index] if index < len(times) else None
        rows.append((*key, run, step.iteration, step.loss, step.eval_loss, step.learning_rate, duration))
    registry.insert(
        engine, "training_info",
        ("model", "version", "training_run", "iteration", "loss", "eval_loss", "learning_rate", "duration_ms"),
        rows,
    )  # fmt: skip


def _transform_rows(transform: Transform) -> list[tuple[Any, ...]]:
    rows: list[tuple[Any, ...]] = []
    for item, states in zip(transform.items, transform.learnt, strict=True):
        for position, (call, learnt) in enumerate(zip(item.calls, states, strict=True)):
            head = (item.alias, position, call.function)
            rows += [(*head, key, None, number, None) for key, number in learnt.numbers.items()]
            rows += [(*head, "category", index, None, text) for index, text in learnt.categories]
            if learnt.dropped is not None:
                rows.append((*head, "dropped", None, None, learnt.dropped))
    return rows


def _plain(value: Any) -> Any:
    """Turn an option's value into what JSON can hold."""
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value

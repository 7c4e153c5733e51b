"""Storing a fitted model: its rows in the registry, and its macros."""

from __future__ import annotations

import json
import time
from typing import Any

from mlpond import __version__
from mlpond.models import registry
from mlpond.models.conformal import conformal_macro
from mlpond.models.explanation import explanation_macros
from mlpond.models.families import Fitted, Training
from mlpond.models.families.family import Table
from mlpond.models.registry import Macro
from mlpond.models.transform import Transform
from mlpond.models.transform_macro import transform_macro


def store(training: Training, fitted: Fitted, started: float) -> None:
    """Write a model's rows and macros, and make it the default version of its name.

    Args:
        training: What the model was trained on.
        fitted: What was found.
        started: When the work on the statement began, by ``time.perf_counter``.
    """
    install(training, fitted)
    written = {macro.function: macro for macro in fitted.macros}  # a later one takes its place
    written |= {macro.function: macro for macro in record(training, fitted, started)}
    macros = list(written.values())
    registry.point_alias(training.engine, training.version, registry.DEFAULT, macros)


def install(training: Training, fitted: Fitted) -> None:
    """Write what the functions of a model read, and the functions."""
    insert_tables(training, fitted.tables)
    registry.install_macros(training.engine, training.version, fitted.macros)


def insert_tables(training: Training, tables: dict[str, Table]) -> None:
    """Write parameter rows of a version."""
    version = training.version
    for name, table in tables.items():
        rows = ((version.name, version.version, *row) for row in table.rows)
        registry.insert(training.engine, name, ("model", "version", *table.columns), rows)


def record(training: Training, fitted: Fitted, started: float) -> list[Macro]:
    """Write the rows that tell about a model, and the functions that explain it.

    Returns:
        Those functions.
    """
    _insert_model(training, fitted, time.perf_counter() - started)
    describe(training, fitted)
    macros = further_macros(training, fitted)
    registry.install_macros(training.engine, training.version, macros)
    return macros


def describe(training: Training, fitted: Fitted) -> None:
    """Write the rows that tell how a model came about."""
    engine, version = training.engine, training.version
    key = (version.name, version.version)
    registry.insert(
        engine, "training_info",
        ("model", "version", "training_run", "iteration", "loss", "eval_loss",
         "learning_rate", "duration_ms"),
        [
            (*key, fitted.run, step.iteration, step.loss, step.eval_loss, step.learning_rate,
             step.duration_ms)
            for step in fitted.iterations
        ],
    )  # fmt: skip
    registry.insert(
        engine, "features",
        ("model", "version", "position", "input", "type", "min", "max", "mean", "median", "stddev",
         "category_count", "null_count", "dimension"),
        [key + row for row in fitted.info or training.info],
    )  # fmt: skip
    registry.insert(
        engine, "fit_statistics", ("model", "version", "name", "value"),
        [key + pair for pair in fitted.statistics.items()],
    )  # fmt: skip
    if training.transform is not None:
        registry.insert(
            engine, "transform_state",
            ("model", "version", "output", "call", "function", "key", "position", "number", "text"),
            [key + row for row in _transform_rows(training.transform)],
        )  # fmt: skip


def further_macros(training: Training, fitted: Fitted) -> list[Macro]:
    """The functions of a model that rest on its others: explanations, and promises."""
    own = {macro.function for macro in fitted.macros}
    macros = explanation_macros(training, fitted)
    if training.transform is not None:
        macros.append(transform_macro(training.transform))
    if training.task.label and "predict" in own and "conformal" not in own:
        macros.append(conformal_macro(training, fitted.class_scores))
    return macros


def _insert_model(training: Training, fitted: Fitted, seconds: float) -> None:
    request, version, task = training.request, training.version, training.task
    options = request.options
    said = list(fitted.warnings)
    width = training.rows.layout.width
    if task.label and 0 < training.n <= width:
        said.append(
            f"few_rows: {training.n} training rows for {width} columns; the fit is not determined"
        )
    record = {
        "name": version.name, "version": version.version, "model_type": options.model_type,
        "task": task.kind, "label": task.label, "label_type": task.label_type,
        "classes": list(task.classes) or None,
        "features": [column for column, _ in request.input_columns], "aliases": [],
        "training_rows": training.n, "evaluation_rows": training.n_held_out,
        "training_run": fitted.run,
        "iterations": len(fitted.iterations), "loss": fitted.loss, "seconds": seconds,
        "seed": options["seed"], "warnings": said, "options": json.dumps(request.statement.options),
        "transform": request.statement.transform, "query": request.statement.query,
        "evaluation_query": training.evaluation_query, "description": options["description"],
        "labels": json.dumps(options["labels"]) if options["labels"] else None,
        "mlpond_version": __version__,
    }  # fmt: skip
    listed = ", ".join(record)
    marks = ", ".join(f"${i + 1}" for i in range(len(record)))
    training.engine.execute(
        f"insert into ml.models ({listed}, created_at, duckdb_version) "
        f"values ({marks}, make_timestamp(epoch_us(current_timestamp)), version())",
        list(record.values()),
    )


def _transform_rows(transform: Transform) -> list[tuple[Any, ...]]:
    rows: list[tuple[Any, ...]] = []
    for item, states in zip(transform.items, transform.learnt, strict=True):
        for position, (placed, learnt) in enumerate(zip(item.calls, states, strict=True)):
            head = (item.alias, position, placed.function.name)
            rows += [(*head, key, None, number, None) for key, number in learnt.numbers.items()]
            rows += [(*head, e.key, e.position, e.number, e.text) for e in learnt.entries]
    return rows

"""Storing a fitted model: its rows in the registry, and its macros."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from typing import Any

from mlpond import __version__
from mlpond.engine import Engine
from mlpond.models import inference, linear, registry
from mlpond.models.linear import Task
from mlpond.models.macros import model_macros
from mlpond.models.request import Request
from mlpond.models.splits import Split
from mlpond.models.stream import Rows
from mlpond.models.transform import Transform
from mlpond.sql.templates.installer import mark
from mlpond.udfs.linear.fit import Fit


@dataclass(frozen=True)
class Trained:
    """All that is known of a model once its trainer is done."""

    request: Request
    version: registry.Version
    task: Task
    rows: Rows
    fit: Fit
    durations: list[int]  # of every pass, in milliseconds
    transform: Transform | None
    split: Split
    info: list[tuple[Any, ...]]  # rows of ml.features
    run: int  # how often it was warm-started
    total: int  # rows of the query
    n: int  # training rows
    started: float


def store(engine: Engine, trained: Trained) -> None:
    """Write a model's rows and macros, and make it the default version of its name."""
    request, version, task = trained.request, trained.version, trained.task
    rows, fit, transform = trained.rows, trained.fit, trained.transform
    name, number, options = version.name, version.version, request.options
    query = f"({request.statement.query})"
    evaluation = trained.split.evaluation_rows(query) or query
    said = linear.warnings_of(rows, fit)
    if trained.n <= rows.layout.width:
        said.append(
            f"few_rows: {trained.n} training rows for {rows.layout.width} columns; "
            "the fit is not determined"
        )
    seconds = time.perf_counter() - trained.started
    record = {
        "name": name, "version": number, "model_type": options.model_type, "task": task.kind,
        "label": task.label, "label_type": task.label_type, "classes": list(task.classes) or None,
        "features": [column for column, _ in request.input_columns], "aliases": [],
        "training_rows": trained.n, "evaluation_rows": trained.total - trained.n,
        "training_run": trained.run,
        "iterations": len(fit.iterations), "loss": fit.loss, "seconds": seconds,
        "seed": options["seed"], "warnings": said, "options": json.dumps(request.statement.options),
        "transform": request.statement.transform, "query": request.statement.query,
        "evaluation_query": evaluation, "description": options["description"],
        "labels": json.dumps(options["labels"]) if options["labels"] else None,
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
    _insert_training_info(engine, key, trained.run, fit, trained.durations)
    registry.insert(
        engine, "features",
        ("model", "version", "position", "input", "type", "min", "max", "mean", "median", "stddev",
         "category_count", "null_count", "dimension"),
        [key + row for row in trained.info],
    )  # fmt: skip
    registry.insert(
        engine, "coefficients",
        ("model", "version", "class_label", "position", "processed_input", "category", "weight",
         "standardized_weight", "standard_error", "standardized_error", "statistic", "p_value",
         "ci_lower", "ci_upper"),
        [key + row for row in linear.coefficient_rows(rows, task, fit)],
    )  # fmt: skip
    registry.insert(
        engine, "coefficient_factors",
        ("model", "version", "position", "factor", "sum_of_squares"),
        [key + row for row in inference.factor_rows(rows, fit)],
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
    made = transform.select_list(request.reserved) if transform else []
    body = linear.prediction_body(
        rows, task, fit, model=name, version=number, source=mark("data"),
        threshold=mark("threshold"),
        transform=made,
    )  # fmt: skip
    macros = model_macros(version, task, body, evaluation)
    macros += inference.inference_macros(
        version, rows, task, fit, options, made, trained.split.training_rows(query)
    )
    registry.install_macros(engine, version, macros)
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
        rows.append(
            (*key, run, step.iteration, step.loss, step.eval_loss, step.learning_rate, duration)
        )
    registry.insert(
        engine, "training_info",
        ("model", "version", "training_run", "iteration", "loss", "eval_loss",
         "learning_rate", "duration_ms"),
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

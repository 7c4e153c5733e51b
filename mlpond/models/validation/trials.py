"""Trials as rows of ml.trials, and as versions of their model."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from mlpond.engine import Engine
from mlpond.models import registry
from mlpond.models.registry import Macro, Version
from mlpond.sql.templates.quoting import string

if TYPE_CHECKING:
    from mlpond.models.validation.objectives import Objective
    from mlpond.udfs.tuning.space import Interval, Point, Space

# Tables that describe a model and say which trial, if it was tuned.
_DESCRIBE = ("evaluate", "weights", "centroids")


@dataclass(frozen=True)
class Trial:
    """One trial.

    Attributes:
        trial_id: From 1.
        point: Its values, in the order of the space.
        values: The same by option.
        metrics: Of ML.EVALUATE on the rows that trials are compared on.
        training_metrics: The same on the training rows.
        score: The objective, turned so that less is better; nan if it failed.
        status: SUCCEEDED, FAILED, or INFEASIBLE if the options contradict each other.
        error: Why it failed.
        version: The version that holds its model, if it is stored.
        training_loss: Of the fit.
        eval_loss: Of the fit on the rows held out.
        seconds: How long it took.
    """

    trial_id: int
    point: Point
    values: dict[str, Any]
    metrics: dict[str, float | None] = field(default_factory=dict)
    training_metrics: dict[str, float | None] = field(default_factory=dict)
    score: float = math.nan
    status: str = "SUCCEEDED"
    error: str | None = None
    version: Version | None = None
    training_loss: float | None = None
    eval_loss: float | None = None
    seconds: float | None = None

    @property
    def stored(self) -> bool:
        """Whether it has a version."""
        return self.version is not None


def best(trials: list[Trial]) -> Trial | None:
    """The trial with the best score; the first of equal ones."""
    done = [trial for trial in trials if trial.status == "SUCCEEDED"]
    return min(done, key=lambda trial: trial.score, default=None)


def with_trial_id(macros: list[Macro], trial_id: int) -> list[Macro]:
    """Let the functions that describe a model say which trial it is."""
    return [
        replace(macro, body=f"select {trial_id}::bigint as trial_id, * from (\n{macro.body}\n)")
        if macro.function in _DESCRIBE
        else macro
        for macro in macros
    ]


def store_trials(
    engine: Engine, job: Version, trials: list[Trial], chosen: Trial, objective: Objective,
    space: Space,
) -> None:  # fmt: skip
    """Write the trials of a job, give each model its functions, and make the best the default."""
    columns = (
        "model", "version", "job", "trial_id", "hyperparameters", "objective", "metrics",
        "training_metrics", "training_loss", "eval_loss", "status", "error_message", "is_optimal",
        "seconds",
    )  # fmt: skip
    rows = [
        (
            job.name, t.version.version if t.version else None, job.version, t.trial_id,
            json.dumps(t.values), objective.column, json.dumps(t.metrics),
            json.dumps(t.training_metrics), t.training_loss, t.eval_loss, t.status, t.error,
            t.trial_id == chosen.trial_id, t.seconds,
        )
        for t in trials
    ]  # fmt: skip
    registry.insert(engine, "trials", columns, rows)
    body = _trial_info(job, objective, space)
    for trial in trials:
        if trial.version is not None:
            registry.install_macros(engine, trial.version, [Macro("trial_info", (), body, {})])
    assert chosen.version is not None
    registry.point_alias(engine, chosen.version, registry.DEFAULT)


def _trial_info(job: Version, objective: Objective, space: Space) -> str:
    """Write ML.TRIAL_INFO: its structs have the tuned options and the objective as fields."""
    options = json.dumps({p.name: _type(p) for p in space.parameters})
    metric = json.dumps({objective.column: "DOUBLE"})
    return (
        f"select trial_id, from_json(hyperparameters, {string(options)}) as hyperparameters, "
        f"from_json(metrics, {string(metric)}) as hparam_tuning_evaluation_metrics, "
        "training_loss, eval_loss, status, error_message, is_optimal from ml.trials "
        f"where model = {string(job.name)} and job = {job.version} order by trial_id"
    )


def _type(parameter: Interval | Any) -> str:
    """The SQL type of an option's values."""
    values = getattr(parameter, "values", None)
    if values is None:
        return "BIGINT" if parameter.integer else "DOUBLE"
    kinds = {type(value) for value in values}
    if kinds == {bool}:
        return "BOOLEAN"
    if kinds == {int}:
        return "BIGINT"
    if kinds <= {int, float}:
        return "DOUBLE"
    return "VARCHAR" if kinds == {str} else "BIGINT[]"

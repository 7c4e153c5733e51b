"""A statement with cross-validation, tuning or a learning curve: many trainings, one model."""

from __future__ import annotations

import json
import uuid
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

from mlpond.errors import InputError
from mlpond.models import registry
from mlpond.models.job import train
from mlpond.models.registry import Macro, Version
from mlpond.models.splits import Split
from mlpond.models.store import store
from mlpond.models.validation.folds import folded
from mlpond.models.validation.measure import (
    Measured,
    Metrics,
    Part,
    measure,
    passing_model,
)
from mlpond.models.validation.objectives import objective_of
from mlpond.models.validation.trials import store_trials
from mlpond.models.validation.tuning import tune
from mlpond.sql.templates.quoting import identifier

if TYPE_CHECKING:
    from mlpond.models.job import Job
    from mlpond.models.options import Options
    from mlpond.models.request import Request


def needs_validation(options: Options) -> bool:
    """Tell whether the options ask for more than one training."""
    return (
        options.space is not None
        or options["cross_validation"] is not None
        or options["learning_curve"] is not None
    )


def validated(job: Job, started: float) -> Version:
    """Train and store the model of a statement, and the rows that tell how good its method is.

    Returns:
        The version that the statement makes the default.
    """
    request, options = job.request, job.request.options
    predictions = identifier(f"mlpond_out_of_fold_{uuid.uuid4().hex}")
    with ExitStack() as stack:
        parts: list[Part] = []
        results: list[tuple[Measured, Request]] = []
        if options["cross_validation"] is not None:
            kept = job.training_part(job.split(request))
            parts = stack.enter_context(folded(kept, options["cross_validation"]))
            results = [_measure_fold(part, request, len(parts), predictions) for part in parts]
        version, final, split = _final(job, started)
        _store_folds(job, version, results)
        if results:
            _store_predictions(job, version, predictions)
        if options["learning_curve"] is not None:
            parts = parts or [_held_out_part(job, split)]
            _learning_curve(job, version, final, parts, options["learning_curve"])
    return version


def _final(job: Job, started: float) -> tuple[Version, Request, Split]:
    """Train and store the model, by tuning if the statement asks for it."""
    request, options = job.request, job.request.options
    if options.space is None:
        split = job.split(request)
        training = job.prepare(request, job.version, split, gather=False)
        store(training, train(training), started)
        return job.version, request, split
    tuned = tune(job, keep=True)
    objective = objective_of(request.who, options)
    job.report("storing the trials", None)
    store_trials(job.engine, job.version, tuned.trials, tuned.best, objective, options.space)
    assert tuned.best.version is not None
    return tuned.best.version, tuned.request, tuned.split


def _measure_fold(
    part: Part, request: Request, total: int, predictions: str
) -> tuple[Measured, Request]:
    """Measure one fold; where the statement tunes, on its training rows alone."""
    job = part.job.telling(f"fold {part.fold} of {total}")
    part = Part(part.fold, job, part.relation, part.n)
    if request.options.space is not None:
        request = tune(job, keep=False).request
    return measure(part, request, predictions), request


def _store_folds(job: Job, version: Version, results: list[tuple[Measured, Request]]) -> None:
    names = ("model", "version", "fold", "training_rows", "evaluation_rows", "metric",
             "training_value", "value", "hyperparameters")  # fmt: skip
    rows: list[tuple[Any, ...]] = []
    space = job.request.options.space
    for result, request in results:
        chosen = None
        if space is not None:
            chosen = json.dumps({p.name: request.options[p.name] for p in space.parameters})
        rows += [
            (version.name, version.version, result.part.fold, result.part.job.n, result.part.n,
             metric, result.training.get(metric), value, chosen)
            for metric, value in result.evaluation.items()
        ]  # fmt: skip
    registry.insert(job.engine, "cross_validation", names, rows)


def _store_predictions(job: Job, version: Version, predictions: str) -> None:
    """Keep the out-of-fold predictions as a table of the version, with a function to read it."""
    engine = job.engine
    known = "select count(*) from duckdb_tables() where table_name = ?"
    if not engine.value(known, [predictions.strip('"')]):  # the type predicts nothing
        return
    table = registry.rows_table(version)
    engine.execute(f"create table ml.{table} as from temp.{predictions}")
    engine.drop_quietly(f"temp.{predictions}")
    registry.install_macros(engine, version, [Macro("out_of_fold", (), f"from ml.{table}", {})])
    registry.point_alias(engine, version, registry.DEFAULT)


def _held_out_part(job: Job, split: Split) -> Part:
    """The training rows, and the rows held out."""
    relation = split.reported_rows(job.source.relation)
    if relation is None:
        raise InputError(
            f"{job.request.who}: learning_curve needs rows that are not trained on; set "
            "data_split_method = 'RANDOM', or cross_validation = 5."
        )
    n = split.tested if split.test is not None else split.held_out
    return Part(None, job.training_part(split), relation, n)


def _learning_curve(
    job: Job, version: Version, request: Request, parts: list[Part], shares: list[float]
) -> None:
    """Train on growing shares of the rows of each part, and store what each scored."""
    names = ("model", "version", "fold", "training_share", "training_rows", "metric",
             "training_value", "value")  # fmt: skip
    rows: list[tuple[Any, ...]] = []
    for share in shares:
        for part in parts:
            seen, measured = _on_share(part, request, share)
            rows += [
                (version.name, version.version, part.fold, share, seen, metric,
                 measured[0].get(metric), value)
                for metric, value in measured[1].items()
            ]  # fmt: skip
    registry.insert(job.engine, "learning_curve", names, rows)


def _on_share(part: Part, request: Request, share: float) -> tuple[int, tuple[Metrics, Metrics]]:
    """Train on the share of a part's rows with the smallest hashes, so that shares are nested."""
    job = part.job.telling(f"learning curve, {share:.0%} of the rows")
    if share < 1:
        names = ", ".join(identifier(name) for name, _ in job.source.columns)
        value = f"hash({names}, {request.options['seed']}::bigint, 'learning_curve')"
        n = max(1, round(share * job.n))
        limit = job.engine.value(
            f"select max(h) from (select {value} as h from {job.source.relation} "
            f"order by h limit {n})"
        )
        relation = f"(select * from {job.source.relation} where {value} <= {limit}::ubigint)"
        job = job.on(relation, job.engine.value(f"select count(*) from {relation}"))
    with passing_model(job, request, Split(None)) as model:
        return job.n, (
            model.evaluate(job.source.relation), model.evaluate(part.relation)
        )  # fmt: skip

"""Tuning: trials with other values of some options, the best of which is the model."""

from __future__ import annotations

import math
import time
from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from mlpond.errors import InputError, MlpondError, TrainingError
from mlpond.models.job import train
from mlpond.models.registry import Version
from mlpond.models.splits import Split
from mlpond.models.store import install, record
from mlpond.models.validation import trials
from mlpond.models.validation.folds import folded
from mlpond.models.validation.measure import (
    Installed,
    Measured,
    Part,
    averages,
    measure,
    passing_model,
    taken_back,
)
from mlpond.models.validation.objectives import Objective, objective_of
from mlpond.models.validation.space import default_point, restored
from mlpond.models.validation.trials import Trial
from mlpond.udfs.tuning.search import propose

if TYPE_CHECKING:
    from mlpond.models.job import Job
    from mlpond.models.request import Request
    from mlpond.udfs.tuning.space import Point

FOLDS = 5  # that compare trials where no rows are held out


@dataclass(frozen=True)
class Tuned:
    """The end of a search.

    Attributes:
        trials: All of them, in order.
        best: The best one.
        request: The statement with its options.
        split: Which rows were held out.
    """

    trials: list[Trial]
    best: Trial
    request: Request
    split: Split


def tune(job: Job, *, keep: bool) -> Tuned:
    """Run the trials of a statement, one after another.

    Args:
        job: The statement and its rows.
        keep: Whether the model of every trial is stored, as a version of its own.

    Raises:
        TrainingError: no trial succeeded.
    """
    options = job.request.options
    space, total = options.space, options["num_trials"]
    assert space is not None
    objective = objective_of(job.request.who, options)
    default = default_point(space, options.family)
    split = job.split(job.request)
    done: list[Trial] = []
    with ExitStack() as stack:
        folds = _fold_count(job, split)
        parts = stack.enter_context(folded(job.training_part(split), folds)) if folds else []
        while len(done) < total:
            points = propose(
                space,
                options["hparam_tuning_algorithm"],
                default,
                [trial.point for trial in done],
                [trial.score for trial in done],
                min(options["max_parallel_trials"], total - len(done)),
                total,
                options["seed"],
            )
            if not points:  # the space has no more
                break
            for point in points:
                done.append(_try(job, len(done) + 1, point, objective, split, parts, done, keep))
    best = trials.best(done)
    if best is None:
        raise TrainingError(
            f"{job.request.who}: none of {len(done)} trials succeeded; the first said: "
            f"{done[0].error}"
        )
    return Tuned(done, best, trial_request(job.request, best.values), split)


def trial_request(request: Request, values: dict[str, Any]) -> Request:
    """The statement of a trial: one value for every option.

    Raises:
        InputError: the values contradict each other.
    """
    from mlpond.models.option import VALIDATION_OPTIONS
    from mlpond.models.options import check_options

    given = {**request.statement.options, **values}
    plain = {name: value for name, value in given.items() if name not in VALIDATION_OPTIONS}
    options = check_options(request.statement.name, plain)
    return replace(request, options=options, statement=replace(request.statement, options=given))


def _fold_count(job: Job, split: Split) -> int:
    """How many folds compare the trials; 0 if the rows held out do."""
    options = job.request.options
    if options["tuning_folds"] is not None:
        return int(options["tuning_folds"])
    return FOLDS if split.evaluation is None else 0


def _try(
    job: Job,
    trial_id: int,
    point: Point,
    objective: Objective,
    split: Split,
    parts: list[Part],
    before: list[Trial],
    keep: bool,
) -> Trial:
    """Run one trial; what goes wrong with it is written down, not raised."""
    assert job.request.options.space is not None
    names = [parameter.name for parameter in job.request.options.space.parameters]
    values = {name: restored(value) for name, value in zip(names, point, strict=True)}
    what = f"trial {trial_id} of {job.request.options['num_trials']}"
    job = job.telling(what)
    parts = [replace(part, job=part.job.telling(what)) for part in parts]
    trial = Trial(trial_id, point, values)
    started = time.perf_counter()
    try:
        request = trial_request(job.request, values)
    except InputError as error:
        return replace(trial, status="INFEASIBLE", error=str(error))
    version = Version(job.version.name, job.version.version + sum(t.stored for t in before), ())
    try:
        if parts:
            trial = _with(trial, [measure(part, request) for part in parts], objective)
        if keep:
            trial = _stored(job, request, version, trial, objective, split, started)
        elif not parts:
            with passing_model(job, request, split) as model:
                trial = _with(trial, [_held_out(job, model, split)], objective)
    except (MlpondError, ValueError, ArithmeticError) as error:
        return replace(trial, status="FAILED", error=str(error), version=None)
    report = ", ".join(f"{name} = {value}" for name, value in values.items())
    value = trial.metrics.get(objective.column)
    share = trial_id / job.request.options["num_trials"]
    job.report(f"{report}: {objective.column} {value}", share)
    return replace(trial, seconds=time.perf_counter() - started)


def _stored(
    job: Job,
    request: Request,
    version: Version,
    trial: Trial,
    objective: Objective,
    split: Split,
    started: float,
) -> Trial:
    """Train and store the model of a trial, and measure it unless folds have."""
    with taken_back(job.engine, version, always=False):
        training = job.prepare(request, version, split, gather=False)
        fitted = train(training)
        marked = replace(fitted, macros=trials.with_trial_id(fitted.macros, trial.trial_id))
        install(training, marked)
        if not trial.metrics:
            with job.searches.offered(job.engine, version):
                measured = _held_out(job, Installed(training, marked), split)
            trial = _with(trial, [measured], objective)
    record(training, marked, started)
    last = fitted.iterations[-1] if fitted.iterations else None
    return replace(
        trial, version=version, training_loss=fitted.loss,
        eval_loss=last.eval_loss if last else None,
    )  # fmt: skip


def _held_out(job: Job, model: Installed, split: Split) -> Measured:
    """Metrics on the training rows and on those held out."""
    source = job.source.relation
    unseen = split.evaluation_rows(source)
    assert unseen is not None
    part = Part(None, job, unseen, split.held_out)
    return Measured(part, model.evaluate(split.training_rows(source)), model.evaluate(unseen))


def _with(trial: Trial, measured: list[Measured], objective: Objective) -> Trial:
    """Give a trial its metrics.

    Raises:
        TrainingError: the objective is not among them, or has no value.
    """
    metrics = averages([m.evaluation for m in measured])
    value = metrics.get(objective.column)
    if value is None:
        raise TrainingError(
            f"the objective {objective.column} has no value on the rows that trials are compared "
            f"on; the metrics are {', '.join(metrics)}."
        )
    score = objective.loss(value)
    assert math.isfinite(score)
    training = averages([m.training for m in measured])
    return replace(trial, metrics=metrics, training_metrics=training, score=score)

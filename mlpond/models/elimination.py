"""Recursive elimination: train, drop the features that matter least, train again.

Source: Guyon, Weston, Barnhill & Vapnik (2002), Gene selection for cancer classification using
    support vector machines, Machine Learning 46.
"""

from __future__ import annotations

import math
from contextlib import ExitStack
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING

from mlpond.engine import Engine
from mlpond.errors import InputError
from mlpond.models import registry
from mlpond.models.job import open_job
from mlpond.models.request import Request, check_request
from mlpond.models.source import open_source
from mlpond.models.splits import Split
from mlpond.models.store import further_macros
from mlpond.models.validation.folds import folded
from mlpond.models.validation.measure import Installed, Metrics, averages, passing_model
from mlpond.models.validation.objectives import Objective, objective_of
from mlpond.sql.dialect.statements import CreateModel
from mlpond.sql.templates.quoting import string
from mlpond.udf import in_plain_sql

if TYPE_CHECKING:
    from mlpond.models.families.family import Report
    from mlpond.models.neighbors import Searches
    from mlpond.models.validation.measure import Part

WHO = "ml.recursive_elimination"
_REPEATS = 3  # shuffles of a feature, where the type has no weights


@dataclass(frozen=True)
class Eliminated:
    """What became of a feature.

    Attributes:
        feature: A column of the query.
        score: How much it mattered in the last model it was in: the size of its standardised
            weights, or the loss with its values shuffled less the loss as it is.
        rank: 1 for the feature that is left last.
        n_features: Number of features of that last model.
        metric: Which metric,
        value: and its mean over the folds for that model.
        is_best: Whether it is one of the features of the best model.
    """

    feature: str
    score: float
    rank: int
    n_features: int
    metric: str
    value: float | None
    is_best: bool


def eliminate(
    engine: Engine,
    query: str,
    options: dict[str, object],
    *,
    step: int,
    folds: int,
    threads: int,
    report: Report,
    searches: Searches,
) -> list[Eliminated]:
    """Train on ever fewer features, each time on the rows of every fold but one.

    Args:
        engine: Runs SQL; nothing is left behind.
        query: The training query.
        options: As CREATE MODEL takes them.
        step: How many features are dropped at once.
        folds: Number of folds, from 2.
        threads: How many threads may work at once.
        report: Told what is going on.
        searches: Of the session: the points of models in memory.

    Returns:
        The features, the one left last first.

    Raises:
        MlpondError: a model cannot be trained.
    """
    for name, value, low in (("step", step, 1), ("folds", folds, 2)):
        if value < low:
            raise InputError(f"{WHO}: {name} is {value}; it must be at least {low}.")
    statement = CreateModel("eliminated", options=options, query=query)
    request = check_request(engine, statement)
    if request.label is None:
        raise InputError(
            f"{WHO}: {request.options.family.name} has no label; it needs a supervised model type."
        )
    if request.options.space is not None or request.options["group_cols"] is not None:
        raise InputError(f"{WHO}: options of tuning and group_cols are for CREATE MODEL.")
    objective = objective_of(request.who, request.options)
    with ExitStack() as stack:
        stack.enter_context(in_plain_sql(engine))
        stack.enter_context(engine.transaction())
        source = stack.enter_context(open_source(engine, query, request.columns))
        job = open_job(engine, request, [], source, threads, report, searches)
        parts = stack.enter_context(folded(job, folds))
        return _run(request, parts, objective, step)


def _run(request: Request, parts: list[Part], objective: Objective, step: int) -> list[Eliminated]:
    """Go down from all features to one; the rounds are put together at the end."""
    left = [name for name, _ in request.input_columns]
    total = len(left)
    rounds: list[tuple[int, float | None, list[tuple[str, float]]]] = []
    while left:
        dropped = frozenset(name.lower() for name, _ in request.input_columns if name not in left)
        part_request = replace(request, reserved=request.reserved | dropped)
        measured = [_measure(part, part_request, total - len(left), total) for part in parts]
        value = averages([metrics for metrics, _ in measured]).get(objective.column)
        scores = {
            name: math.fsum(scores.get(name, 0.0) for _, scores in measured) / len(measured)
            for name in left
        }
        # of features that matter as much the last is dropped first
        worst = sorted(left, key=lambda name: (_rankable(scores[name]), -left.index(name)))[:step]
        rounds.append((len(left), value, [(name, scores[name]) for name in worst]))
        left = [name for name in left if name not in worst]
    known = [(_rankable(objective.loss(value)), n) for n, value, _ in rounds if value is not None]
    best = min(known)[1] if known else total  # the fewest features among equals
    found: list[Eliminated] = []
    for n, value, names in reversed(rounds):
        for name, score in reversed(names):
            found.append(Eliminated(name, score, len(found) + 1, n, objective.column, value, False))
    return [replace(row, is_best=row.rank <= best) for row in found]


def _rankable(value: float) -> float:
    """Without the last digits, in which equal models differ by the order of their sums."""
    return float(f"{value:.12g}")


def _measure(
    part: Part, request: Request, done: int, total: int
) -> tuple[Metrics, dict[str, float]]:
    """Train on a fold's training rows; return its metrics and how much each feature matters."""
    job = replace(part.job, request=request, _encoded={})
    job = job.telling(f"{total - done} of {total} features, fold {part.fold}")
    with passing_model(job, request, Split(None)) as model:
        return model.evaluate(part.relation), _importance(model, part.relation)


def _importance(model: Installed, relation: str) -> dict[str, float]:
    """The size of the standardised weights of each input, or its permutation importance."""
    training, version = model.training, model.training.version
    engine = training.engine
    if "coefficients" in model.fitted.tables:
        weights = engine.rows(
            "select processed_input, sqrt(sum(standardized_weight ** 2)) from ml.coefficients "
            "where model = ? and version = ? group by processed_input",
            [version.name, version.version],
        )
        inputs = {f.atom.name: f.atom.input for f in training.rows.features}
        sizes: dict[str, float] = {}
        for name, size in weights:
            if name in inputs:
                sizes[inputs[name]] = math.hypot(sizes.get(inputs[name], 0.0), size)
        return sizes
    macros = further_macros(training, model.fitted)
    registry.install_macros(engine, training.version, macros)
    call = model.call(
        "permutation_importance", f"data := {string(relation)}, repeats := {_REPEATS}"
    )
    return dict(engine.rows(f"select feature, coalesce(importance, 0e0) {call}"))


def as_rows(found: list[Eliminated]) -> list[dict[str, object]]:
    """The features as rows of JSON."""
    return [asdict(row) for row in found]

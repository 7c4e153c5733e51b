"""Models that live for as long as it takes to measure them, and their metrics."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from mlpond.engine import Engine
from mlpond.errors import InputError
from mlpond.models import registry
from mlpond.models.families import Fitted, Training
from mlpond.models.job import train
from mlpond.models.splits import Split
from mlpond.models.store import install
from mlpond.sql.templates.quoting import identifier, string

if TYPE_CHECKING:
    from mlpond.models.job import Job
    from mlpond.models.request import Request

Metrics = dict[str, float | None]


@dataclass(frozen=True)
class Part:
    """Rows to train on and rows to predict.

    Attributes:
        fold: The number of the fold that is predicted; None where it is the rows held out.
        job: The statement on the training rows.
        relation: The rows to predict, as they can stand behind FROM.
        n: Their number.
    """

    fold: int | None
    job: Job
    relation: str
    n: int


@dataclass(frozen=True)
class Measured:
    """What a model scored.

    Attributes:
        part: The rows.
        training: Metrics of the rows it was trained on.
        evaluation: Metrics of the rows that it had not seen.
    """

    part: Part
    training: Metrics
    evaluation: Metrics


@dataclass(frozen=True)
class Installed:
    """A trained model whose functions are in the database.

    Attributes:
        training: What it was trained on.
        fitted: What was found.
    """

    training: Training
    fitted: Fitted

    def has(self, function: str) -> bool:
        """Tell whether it has a function."""
        return any(macro.function == function for macro in self.fitted.macros)

    def call(self, function: str, argument: str) -> str:
        """Write the query of one of its functions on a relation."""
        name = identifier(f"{function}_{self.training.version.full_name}")
        return f"from ml.{name}({argument})"

    def evaluate(self, relation: str) -> Metrics:
        """Return the metrics on some rows; NULL and nan are None.

        Raises:
            InputError: models of this type have no evaluation.
        """
        if not self.has("evaluate"):
            raise InputError(
                f"{self.training.request.who}: {self.training.options.family.name} has no "
                "ml.evaluate, so its models cannot be compared; leave the options of tuning and "
                "validation out."
            )
        query = self.call("evaluate", f"data := {string(relation)}")
        found = self.training.engine.record(query)
        return {key: _finite(value) for key, value in found.items() if key != "trial_id"}


@contextmanager
def passing_model(job: Job, request: Request, split: Split) -> Iterator[Installed]:
    """Train a model that is gone again at the end of the block; its functions work within it."""
    # no model can be given this name: @ parts a name from its version
    version = registry.Version(f"{job.version.name}@passing", 1, ())
    with taken_back(job.engine, version, always=True):
        training = job.prepare(request, version, split, gather=False)
        model = Installed(training, train(training))
        install(training, model.fitted)
        with job.searches.offered(job.engine, version):
            yield model


@contextmanager
def taken_back(engine: Engine, version: registry.Version, *, always: bool) -> Iterator[None]:
    """Take everything of a version out of the database after a block, or only if it fails."""
    failed = True
    try:
        yield
        failed = False
    finally:
        if always or failed:
            with engine.if_alive():
                registry.remove_contents(engine, version)


def measure(part: Part, request: Request, predictions: str | None = None) -> Measured:
    """Train on a part's rows and evaluate on both.

    Args:
        part: The rows.
        request: The statement, with the options to train with.
        predictions: A table that the predictions are appended to, made if it is not there.
    """
    with passing_model(part.job, request, _within(part.job, request)) as model:
        measured = Measured(
            part, model.evaluate(part.job.source.relation), model.evaluate(part.relation)
        )
        if predictions is not None and model.has("predict"):
            _append(model, part, predictions)
    return measured


def _within(job: Job, request: Request) -> Split:
    """The split of a fold's own training rows: none, but where calibration needs rows apart."""
    options = request.options
    if options.values.get("calibration_method") is None:
        return Split(None)
    # another seed: the rows that the first one holds out are not among these
    values = {**options.values, "seed": options["seed"] + 1}
    return job.split(replace(request, options=replace(options, values=values)))


def averages(metrics: list[Metrics]) -> Metrics:
    """Average each metric; it is None if any of its values is."""
    found: Metrics = {}
    for name in metrics[0]:
        values = [m[name] for m in metrics]
        known = [v for v in values if v is not None]
        found[name] = math.fsum(known) / len(known) if len(known) == len(values) else None
    return found


def _append(model: Installed, part: Part, table: str) -> None:
    engine = model.training.engine
    names = {column.lower() for column, _ in part.job.source.columns}
    fold = "" if "fold" in names else f"{part.fold}::bigint as fold, "
    query = f"select {fold}* {model.call('predict', string(part.relation))}"
    engine.execute(f"create temp table if not exists {table} as {query} limit 0")
    engine.execute(f"insert into {table} {query}")


def _finite(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return None
    return float(value)

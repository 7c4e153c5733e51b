"""What a model type has to say of itself, what it is given to train on, and what it gives back."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from mlpond.engine import Engine
from mlpond.errors import TrainingError
from mlpond.models.option import SHARED, Option
from mlpond.models.stream import Rows, train
from mlpond.models.task import PROBABILITIES, ClassScores, Task
from mlpond.models.transform import Transform
from mlpond.udfs.trainer import Pass

if TYPE_CHECKING:
    import numpy as np

    from mlpond.models.options import Options
    from mlpond.models.registry import Macro, Version
    from mlpond.models.request import Request
    from mlpond.models.source import Source
    from mlpond.models.splits import Split
    from mlpond.udfs.moments import Sums

Report = Callable[[str, float | None], None]


@dataclass(frozen=True)
class Training:
    """All that is known before training: the checked statement, the rows, the features.

    Attributes:
        engine: Runs SQL and streams rows, inside the transaction of the statement.
        request: The checked statement.
        version: The version that will be stored.
        existing: The versions that the model has already, oldest first.
        task: What is predicted.
        source: The training query as a relation; its rows do not change while training.
        split: Which of its rows are held out.
        relation: The training rows, before TRANSFORM, as they can stand behind FROM.
        n: Their number.
        n_held_out: Number of rows held out for evaluation while training.
        transform: The fitted TRANSFORM clause, or None.
        rows: The encoded training rows; without features where the family uses none.
        held_out: The encoded rows held out, as they can stand behind FROM, or None.
        info: Rows of ml.features: statistics of the inputs.
        gathers: Whether means and deviations are those of a sample, as ``may_gather`` allowed.
        threads: How many threads may work at once.
        report: Told what is going on, and which share of it is done.
    """

    engine: Engine
    request: Request
    version: Version
    existing: list[Version]
    task: Task
    source: Source
    split: Split
    relation: str
    n: int
    n_held_out: int
    transform: Transform | None
    rows: Rows
    held_out: str | None
    info: list[tuple[Any, ...]]
    gathers: bool
    threads: int
    report: Report

    @property
    def options(self) -> Options:
        """The checked options."""
        return self.request.options

    @property
    def made(self) -> list[tuple[str, str]]:
        """(alias, SQL) of the features that TRANSFORM makes; scoring queries begin with them."""
        return self.transform.select_list(self.request.reserved) if self.transform else []

    @property
    def evaluation_query(self) -> str:
        """The rows that functions of the model look at when they are given none, as stored."""
        query = f"({self.request.statement.query})"
        return self.split.reported_rows(query) or query

    @property
    def training_query(self) -> str:
        """The query of the training rows, as stored."""
        return self.split.training_rows(f"({self.request.statement.query})")

    def stream(
        self, first: Pass[Any], moments_near: np.ndarray[Any, Any] | None = None
    ) -> tuple[Any, list[int], Sums | None]:
        """Run a trainer over the encoded rows; see ``mlpond.models.stream.train``."""
        try:
            return train(
                self.engine, first, self.rows, self.held_out, self.n, self.n_held_out,
                self.threads, self.report, moments_near,
            )  # fmt: skip
        except TrainingError as error:
            raise TrainingError(f"{self.request.who}: {error}") from error


@dataclass(frozen=True)
class Iteration:
    """A row of ml.training_info."""

    iteration: int
    loss: float | None
    eval_loss: float | None = None
    learning_rate: float | None = None
    duration_ms: int | None = None


@dataclass(frozen=True)
class Table:
    """Rows of a parameter table of the registry, without the columns model and version."""

    columns: tuple[str, ...]
    rows: Iterable[tuple[Any, ...]]


@dataclass(frozen=True)
class Fitted:
    """What training has found, in the form in which it is stored.

    Attributes:
        macros: The functions of this version in SQL: predict, evaluate and so on.
        tables: Parameter rows by table of the registry; each table is listed in registry.TABLES.
        iterations: What ml.training_info shows.
        loss: Of the training rows at the end.
        warnings: What the user should know of the fit, each beginning with its kind.
        statistics: Rows of ml.fit_statistics.
        run: 0, or how often the model was warm-started.
        info: Rows of ml.features, if training has learnt better ones.
        class_scores: How its classes are scored: by probabilities, or by scores that are none.
    """

    macros: list[Macro]
    tables: dict[str, Table] = field(default_factory=dict)
    iterations: list[Iteration] = field(default_factory=list)
    loss: float | None = None
    warnings: list[str] = field(default_factory=list)
    statistics: dict[str, float] = field(default_factory=dict)
    run: int = 0
    info: list[tuple[Any, ...]] | None = None
    class_scores: ClassScores = PROBABILITIES


def timed(iterations: list[Iteration], durations: list[int]) -> list[Iteration]:
    """Give the iterations the durations of the passes, in milliseconds.

    Passes that only prepare (a sample, trials of a line search) belong to the first iteration.
    """
    spare = max(0, len(durations) - len(iterations))
    times = [sum(durations[: spare + 1]), *durations[spare + 1 :]]
    return [
        Iteration(
            step.iteration, step.loss, step.eval_loss, step.learning_rate,
            times[index] if index < len(times) else None,
        )
        for index, step in enumerate(iterations)
    ]  # fmt: skip


@dataclass(frozen=True)
class Family:
    """One model type.

    Attributes:
        model_type: BigQuery ML's name, in upper case; its Family stands under this name in the
            module that ``MODEL_TYPES`` gives.
        label: What the label is: number, class, or none.
        options: The options it has besides ``SHARED``.
        train: Trains on what it is given.
        check_options: Checks options that depend on each other; gets the statement's name.
        check_columns: Checks the columns of the training query, before any row is read.
        may_gather: Whether the moments of the columns may be gathered in the first pass, which
            saves a scan of the rows before it.
        uses_features: Whether the columns become features; if not, ``Training.rows`` has none,
            and the family reads the columns itself.
        describes_inputs: Whether ml.feature_info tells about the columns, which takes a scan and
            finite numbers.
        task: What ``ml.models`` calls the task of a model without a label.
        max_classes: Most classes that a label may have.
        boolean_label: Whether a label that is a number may be BOOLEAN as well, 0 and 1.
        objectives: What tuning may optimise under the options, the default first: names of columns
            of ``evaluate``, in upper case. Empty means those of regression or classification, by
            the label.
    """

    model_type: str
    label: str
    options: tuple[Option, ...]
    train: Callable[[Training], Fitted]
    check_options: Callable[[str, Options], None] = lambda who, options: None
    check_columns: Callable[[Request], None] = lambda request: None
    may_gather: Callable[[Request], bool] = lambda request: False
    uses_features: bool = True
    describes_inputs: bool = True
    task: str = ""
    max_classes: int = 50
    boolean_label: bool = False
    objectives: Callable[[Options], tuple[str, ...]] = lambda options: ()

    @property
    def accepted(self) -> tuple[Option, ...]:
        """All options, those of the family before shared ones of the same name."""
        own = {option.name for option in self.options}
        return (*(option for option in SHARED if option.name not in own), *self.options)

    @property
    def name(self) -> str:
        """The model type as messages write it."""
        return self.model_type.lower()

"""From the checked statement to a training: the rows, what is predicted, the features learnt."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from mlpond.engine import Engine
from mlpond.errors import MlpondError, TrainingError
from mlpond.models import features, profile, registry
from mlpond.models.calibrate import calibrate
from mlpond.models.families import Fitted, Training
from mlpond.models.families.family import Report
from mlpond.models.label import check_rows, find_task, label_sql
from mlpond.models.neighbors import Searches
from mlpond.models.request import Request
from mlpond.models.source import Source, columns_of
from mlpond.models.splits import Split, make_split
from mlpond.models.stream import Rows
from mlpond.models.task import Task
from mlpond.models.transform import Transform, check_items, fit_transform
from mlpond.models.weights import instance_weight, weight_sql
from mlpond.sql.templates.quoting import identifier

GATHER_FROM = 1_000_000  # rows from which a scan is worth saving
GATHER_SAMPLE = 20_000  # rows that tell mean and deviation well enough to begin with
# Options that decide how rows are encoded.
_ENCODING = ("category_encoding_method", "class_weights", "auto_class_weights")


@dataclass(frozen=True)
class Job:
    """What a statement trains on, be it one model or many.

    Attributes:
        engine: Runs SQL, inside the transaction of the statement.
        request: The checked statement.
        version: The next version of the model.
        existing: The versions that there are, oldest first.
        source: The rows, none of them without a label.
        task: What is predicted.
        n: Number of rows.
        threads: How many threads may work at once.
        report: Told what is going on.
        searches: The points of models in memory, those of models on trial among them.
    """

    engine: Engine
    request: Request
    version: registry.Version
    existing: list[registry.Version]
    source: Source
    task: Task
    n: int
    threads: int
    report: Report
    searches: Searches
    _encoded: dict[Any, _Encoded] = field(default_factory=dict)

    def split(self, request: Request) -> Split:
        """Choose the rows that are held out, by the options."""
        model, source = request.statement.name, self.source
        return make_split(
            self.engine, model, source.relation, source.columns, self.n, request.options
        )

    def prepare(
        self, request: Request, version: registry.Version, split: Split, *, gather: bool
    ) -> Training:
        """Learn the features; trainings on the same rows with the same encoding share them.

        Args:
            request: The statement, with the options of this training.
            version: The version that it will be.
            split: Which rows are held out.
            gather: Whether moments may be left to the first pass.
        """
        n = self.n - split.held_out - split.tested
        look = _Look(self.engine, request, self.source, split, n, self.report, gather)
        key = (split, gather, *(str(request.options.values.get(name)) for name in _ENCODING))
        if key not in self._encoded:
            self._encoded[key] = look.encode(self.task)
        encoded = self._encoded[key]
        return Training(
            self.engine, request, version, self.existing, self.task, self.source, split,
            look.relation, n, split.held_out, encoded.transform, encoded.rows, encoded.held_out,
            encoded.info, encoded.gathers, self.threads, self.report,
        )  # fmt: skip

    def on(self, relation: str, n: int) -> Job:
        """The same statement on some of its rows."""
        source = Source(relation, self.source.columns)
        return replace(self, source=source, n=n, _encoded={})

    def training_part(self, split: Split) -> Job:
        """The same statement on the rows that a split does not hold out."""
        if split.evaluation is None and split.test is None:
            return self
        n = self.n - split.held_out - split.tested
        return self.on(split.training_rows(self.source.relation), n)

    def telling(self, what: str) -> Job:
        """The same job, whose reports begin with what it is a part of."""

        def report(message: str, share: float | None) -> None:
            self.report(f"{what}: {message}", share)

        return replace(self, report=report)


def train(training: Training) -> Fitted:
    """Let the family train, and calibrate what it found if the options say so.

    Raises:
        TrainingError: the trainer cannot do with these options and data; says why.
    """
    try:
        return calibrate(training, training.options.family.train(training))
    except MlpondError:
        raise
    except ValueError as error:
        raise TrainingError(f"{training.request.who}: {error}") from error


def open_job(
    engine: Engine,
    request: Request,
    existing: list[registry.Version],
    source: Source,
    threads: int,
    report: Report,
    searches: Searches,
) -> Job:
    """Look at the rows: how many there are and what is to be predicted.

    Raises:
        TrainingError: there are no rows, or their labels do not allow a model.
    """
    report("reading the training rows", None)
    total = check_rows(engine, request, source.relation)
    task = find_task(engine, request, source.relation)
    name = existing[0].name if existing else request.statement.name
    version = registry.Version(name, existing[-1].version + 1 if existing else 1, ())
    return Job(engine, request, version, existing, source, task, total, threads, report, searches)


@dataclass(frozen=True)
class _Encoded:
    rows: Rows
    held_out: str | None
    transform: Transform | None
    info: list[tuple[Any, ...]]
    gathers: bool


@dataclass(frozen=True)
class _Look:
    """One look at the training rows, from which the encoding of the features is learnt."""

    engine: Engine
    request: Request
    source: Source
    split: Split
    n: int
    report: Report
    gather: bool

    @property
    def relation(self) -> str:
        """The training rows before TRANSFORM."""
        return self.split.training_rows(self.source.relation)

    def encode(self, task: Task) -> _Encoded:
        """Learn TRANSFORM and the features from the training rows."""
        request, options = self.request, self.request.options
        held_out = self.split.evaluation_rows(self.source.relation)
        weight = instance_weight(self.engine, request, self.source.relation)
        described = self._moments() if options.family.describes_inputs else ([], {}, False)
        info, known, gathers = described
        transform, encoded, columns = request.transform, self.relation, request.input_columns
        if transform is not None:
            self.report("fitting TRANSFORM", None)
            transform = fit_transform(self.engine, encoded, transform)
            check_items(self.engine, encoded, transform, request.who)
        if not options.family.uses_features:
            rows = Rows(self.relation, [], label_sql(request, task))
            return _Encoded(rows, held_out, transform, info, False)
        if weight is not None:
            known = {}  # what stands in for NULL, and the scale, are those of the weighted rows
        if transform is not None:
            transformed = transform.query(encoded, training=True)
            encoded = f"({transformed})"
            held_out = f"({transform.query(held_out)})" if held_out else None
            known = {}
            columns = [
                (name, kind)
                for name, kind in columns_of(self.engine, transformed)
                if name.lower() not in request.reserved
            ]
        learnt = profile.learn_features(
            request.statement.name, self.engine, encoded, self.n,
            self._atoms(encoded, columns, transform), known,
            drop_most_frequent=options.values.get("category_encoding_method") == "DUMMY_ENCODING",
            weight=weight, report=self.report,
        )  # fmt: skip
        rows = Rows(
            encoded,
            learnt,
            label_sql(request, task),
            weight_sql(self.engine, request, task, self.relation, weight),
            has_transform=transform is not None,
            sampled=_sampler(self.source, self.split, transform),
        )
        return _Encoded(rows, held_out, transform, info, gathers)

    def _moments(self) -> tuple[list[tuple[Any, ...]], dict[str, profile.Numbers], bool]:
        """Describe the inputs: exactly, or from a sample if the first pass will be exact."""
        request, windows, model = self.request, self.source.windows, self.request.statement.name
        inputs = request.input_columns
        may_gather = self.gather and request.options.family.may_gather(request)
        if windows and self.n >= GATHER_FROM and may_gather:
            sample = self.split.training_rows(windows.sample(GATHER_SAMPLE / self.n))
            info, known = profile.feature_info(
                model, self.engine, self.relation, inputs, self.n, sample
            )
            if all(stats.n == self.n for stats in known.values()):
                return info, known, True
        info, known = profile.feature_info(model, self.engine, self.relation, inputs, self.n)
        return info, known, False

    def _atoms(
        self, relation: str, columns: list[tuple[str, Any]], transform: Transform | None
    ) -> list[features.Atom]:
        lists = features.numeric_lists(columns)
        lengths = {}
        if lists:
            longest = self.engine.row(
                f"select {', '.join(f'max(len({identifier(name)}))' for name in lists)} "
                f"from {relation}"
            )
            lengths = {name: int(n or 0) for name, n in zip(lists, longest, strict=True)}
        atoms = features.atoms(self.request.statement.name, columns, lengths)
        return atoms if transform is None else [_one_hot(atom, transform) for atom in atoms]


def _sampler(
    source: Source, split: Split, transform: Transform | None
) -> Callable[[float], str] | None:
    """Give the function that writes the relation of a share of the encoded training rows."""
    windows = source.windows
    if windows is None:
        return None

    def sampled(share: float) -> str:
        rows = split.training_rows(windows.sample(share))
        return rows if transform is None else f"({transform.query(rows, training=True)})"

    return sampled


def _one_hot(atom: features.Atom, transform: Transform) -> features.Atom:
    """Call the entries of an encoder's vector by their texts.

    The vector of a one-hot encoder is read as the category it stands for, which is cheaper.
    """
    for item, learnt in zip(transform.items, transform.learnt, strict=True):
        whole = (
            len(item.calls) == 1
            and item.text.strip() == item.text[item.calls[0].start : item.calls[0].stop]
        )
        if item.alias != atom.name or not whole or not learnt[0].categories():
            continue
        names = {str(index): text for index, text in learnt[0].categories()} | {"0": "_unknown"}
        if item.calls[0].function.name == "ONE_HOT_ENCODER":
            entry = f"({atom.form})[1]"
            form = f"case when {entry}.value <> 0 then {entry}.index::varchar end"
            return features.Atom(atom.name, atom.input, form, "category", False, names)
        if atom.kind == "sparse":
            return replace(atom, names=names)
    return atom

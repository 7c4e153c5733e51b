"""CREATE MODEL: check everything, learn the features, let the family train, store the result."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from mlpond.engine import Engine
from mlpond.errors import ModelError
from mlpond.models import features, profile, registry
from mlpond.models.calibrate import calibrate
from mlpond.models.families import Training
from mlpond.models.families.family import Report
from mlpond.models.label import check_rows, find_task, label_sql
from mlpond.models.request import Request, check_request
from mlpond.models.source import Source, columns_of, open_source
from mlpond.models.splits import Split, make_split
from mlpond.models.store import store
from mlpond.models.stream import Rows
from mlpond.models.task import Task
from mlpond.models.transform import Transform, fit_transform
from mlpond.models.weights import instance_weight, weight_sql
from mlpond.sql.dialect.statements import CreateModel
from mlpond.sql.templates.quoting import identifier

GATHER_FROM = 1_000_000  # rows from which a scan is worth saving
GATHER_SAMPLE = 20_000  # rows that tell mean and deviation well enough to begin with


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
        assert request.statement.query is not None
        with open_source(engine, request.statement.query, request.columns) as source:
            training = _prepare(engine, request, version, existing, source, threads, report)
            fitted = calibrate(training, request.options.family.train(training))
        report("storing the model", None)
        store(training, fitted, started)
    return version


def _prepare(
    engine: Engine,
    request: Request,
    version: registry.Version,
    existing: list[registry.Version],
    source: Source,
    threads: int,
    report: Report,
) -> Training:
    """Look at the rows: which train, and what is to be learnt of the columns before training."""
    report("reading the training rows", None)
    total = check_rows(engine, request, source.relation)
    task = find_task(engine, request, source.relation)
    model = request.statement.name
    split = make_split(engine, model, source.relation, source.columns, total, request.options)
    look = _Look(engine, request, source, split, total - split.held_out, report)
    encoded = look.encode(task)
    return Training(
        engine, request, version, existing, task, source, split, look.relation, look.n,
        split.held_out, encoded.transform, encoded.rows, encoded.held_out, encoded.info,
        encoded.gathers, threads, report,
    )  # fmt: skip


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

    @property
    def relation(self) -> str:
        """The training rows before TRANSFORM."""
        return self.split.training_rows(self.source.relation)

    def encode(self, task: Task) -> _Encoded:
        """Learn TRANSFORM and the features from the training rows."""
        request, options = self.request, self.request.options
        held_out = self.split.evaluation_rows(self.source.relation)
        weight = instance_weight(self.engine, request, self.source.relation)
        info, known, gathers = self._moments()
        if not options.family.uses_features:
            rows = Rows(self.relation, [], label_sql(request, task))
            return _Encoded(rows, held_out, None, info, False)
        if weight is not None:
            known = {}  # what stands in for NULL, and the scale, are those of the weighted rows
        transform, encoded, columns = request.transform, self.relation, request.input_columns
        if transform is not None:
            self.report("fitting TRANSFORM", None)
            transform = fit_transform(self.engine, encoded, transform)
            transformed = transform.query(encoded)
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
        if windows and self.n >= GATHER_FROM and request.options.family.may_gather(request):
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
        return rows if transform is None else f"({transform.query(rows)})"

    return sampled


def _one_hot(atom: features.Atom, transform: Transform) -> features.Atom:
    """Read the vector of a one-hot encoder as the category it stands for, which is cheaper."""
    for item, learnt in zip(transform.items, transform.learnt, strict=True):
        whole = (
            len(item.calls) == 1
            and item.text.strip() == item.text[item.calls[0].start : item.calls[0].stop]
        )
        if item.alias == atom.name and whole and item.calls[0].function == "ONE_HOT_ENCODER":
            names = {str(index): text for index, text in learnt[0].categories} | {"0": "_unknown"}
            entry = f"({atom.form})[1]"
            form = f"case when {entry}.value <> 0 then {entry}.index::varchar end"
            return features.Atom(atom.name, atom.input, form, "category", False, names)
    return atom

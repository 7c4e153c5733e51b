"""CREATE MODEL: check everything, learn the features, run the trainer, store the result."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from mlpond.engine import Engine
from mlpond.errors import ModelError
from mlpond.models import features, linear, profile, registry
from mlpond.models.label import check_rows, find_task, label_sql, weight_sql
from mlpond.models.request import Request, check_request
from mlpond.models.source import columns_of, open_source
from mlpond.models.splits import make_split
from mlpond.models.store import Trained, store
from mlpond.models.stream import Rows, train
from mlpond.models.transform import Transform, fit_transform
from mlpond.models.warm import warm_start
from mlpond.sql.dialect.statements import CreateModel
from mlpond.sql.templates.quoting import identifier

Report = Callable[[str, float | None], None]


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
        _train_and_store(engine, request, version, existing, started, threads, report)
    return version


def _train_and_store(
    engine: Engine,
    request: Request,
    version: registry.Version,
    existing: list[registry.Version],
    started: float,
    threads: int,
    report: Report,
) -> None:
    model, options = request.statement.name, request.options
    assert request.statement.query is not None
    query = request.statement.query
    with open_source(engine, query, request.columns) as source:
        report("reading the training rows", None)
        total, unlabelled = engine.row(
            f"select count(*), count(*) - count({identifier(request.label)}) from {source.relation}"
        )
        check_rows(request, total, unlabelled)
        task = find_task(engine, request, source.relation)
        split = make_split(engine, model, source.relation, source.columns, total, options)
        rows = split.training_rows(source.relation)
        n = engine.value(f"select count(*) from {rows}")
        held_out = split.evaluation_rows(source.relation)
        info, known = profile.feature_info(model, engine, rows, request.input_columns, n)
        transform, encoded, evaluation = request.transform, rows, held_out
        columns = request.input_columns
        if transform is not None:
            report("fitting TRANSFORM", None)
            transform = fit_transform(engine, rows, transform)
            encoded = f"({transform.query(rows)})"
            evaluation = f"({transform.query(held_out)})" if held_out else None
            known = {}
            columns = [
                (name, kind)
                for name, kind in columns_of(engine, encoded[1:-1])
                if name.lower() not in request.reserved
            ]
        atoms = _atoms(engine, request, encoded, columns, transform)
        learnt = profile.learn_features(
            model, engine, encoded, atoms, known,
            drop_most_frequent=options["category_encoding_method"] == "DUMMY_ENCODING",
            report=report,
        )  # fmt: skip
        design = Rows(
            encoded,
            learnt,
            label_sql(request, task),
            weight_sql(engine, request, task, rows),
            has_transform=transform is not None,
        )
        label_mean = 0.0
        if task.kind == "regression":
            label_mean = engine.value(f"select avg({design.label}) from {encoded}")
        run, warm = warm_start(engine, request, existing, design, task)
        first = linear.first_pass(design, task, options, n, label_mean, warm)
        fit, durations = train(engine, first, design, evaluation, threads, report)
    report("storing the model", None)
    store(
        engine,
        Trained(
            request, version, task, design, fit, durations, transform, split, info, run,
            total, n, started,
        ),
    )  # fmt: skip


def _atoms(
    engine: Engine,
    request: Request,
    relation: str,
    columns: list[tuple[str, Any]],
    transform: Transform | None,
) -> list[features.Atom]:
    lists = features.numeric_lists(columns)
    lengths = {}
    if lists:
        longest = engine.row(
            f"select {', '.join(f'max(len({identifier(name)}))' for name in lists)} from {relation}"
        )
        lengths = {name: int(n or 0) for name, n in zip(lists, longest, strict=True)}
    atoms = features.atoms(request.statement.name, columns, lengths)
    return atoms if transform is None else [_one_hot(atom, transform) for atom in atoms]


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

"""CREATE MODEL: check everything, learn the features, run the trainer, store the result."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from mlpond.engine import Engine
from mlpond.errors import ModelError
from mlpond.models import features, linear, profile, registry
from mlpond.models.label import check_rows, find_task, label_sql, weight_sql
from mlpond.models.request import Request, check_request
from mlpond.models.source import Source, columns_of, open_source
from mlpond.models.splits import Split, make_split
from mlpond.models.store import Trained, store
from mlpond.models.stream import Rows, train
from mlpond.models.transform import Transform, fit_transform
from mlpond.models.warm import warm_start
from mlpond.sql.dialect.statements import CreateModel
from mlpond.sql.templates.quoting import identifier
from mlpond.udfs.moments import Sums

GATHER_FROM = 1_000_000  # rows from which a scan is worth saving
GATHER_SAMPLE = 20_000  # rows that tell mean and deviation well enough to begin with

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
        n = total - split.held_out
        held_out = split.evaluation_rows(source.relation)
        info: list[tuple[Any, ...]] = []
        known: dict[str, profile.Numbers] = {}
        gathers = n >= GATHER_FROM and _may_gather(request) and source.windows is not None
        if gathers and source.windows is not None:
            sample = split.training_rows(source.windows.sample(GATHER_SAMPLE / n))
            info, known = profile.feature_info(
                model, engine, rows, request.input_columns, n, sample
            )
            gathers = all(stats.n == n for stats in known.values())
        if not gathers:
            info, known = profile.feature_info(model, engine, rows, request.input_columns, n)
        transform, encoded, evaluation = request.transform, rows, held_out
        columns = request.input_columns
        if transform is not None:
            report("fitting TRANSFORM", None)
            transform = fit_transform(engine, rows, transform)
            transformed = transform.query(rows)
            encoded = f"({transformed})"
            evaluation = f"({transform.query(held_out)})" if held_out else None
            known = {}
            columns = [
                (name, kind)
                for name, kind in columns_of(engine, transformed)
                if name.lower() not in request.reserved
            ]
        atoms = _atoms(engine, request, encoded, columns, transform)
        learnt = profile.learn_features(
            model, engine, encoded, n, atoms, known,
            drop_most_frequent=options["category_encoding_method"] == "DUMMY_ENCODING",
            report=report,
        )  # fmt: skip
        design = Rows(
            encoded,
            learnt,
            label_sql(request, task),
            weight_sql(engine, request, task, rows),
            has_transform=transform is not None,
            sampled=_sampler(source, split, transform),
        )
        label_mean = 0.0
        if task.kind == "regression":  # near it is enough, so that the first rows tell
            label_mean = engine.value(
                f"select avg({design.label}) from (from {encoded} limit 1000)"
            )
        run, warm = warm_start(engine, request, existing, design, task)
        first = linear.first_pass(design, task, options, n, label_mean, warm)
        near = np.array([feature.mean for feature in learnt]) if gathers else None
        fit, durations, sums = train(
            engine, first, design, evaluation, n, total - n, threads, report, near
        )
        if sums is not None and near is not None:
            design, info = _with_moments(design, info, sums, near)
            fit = linear.standardise(design, fit)
    report("storing the model", None)
    store(
        engine,
        Trained(
            request, version, task, design, fit, durations, transform, split, info, run,
            total, n, started,
        ),
    )  # fmt: skip


def _may_gather(request: Request) -> bool:
    """Tell whether the moments may be gathered in the first pass, which saves a scan.

    Nothing that the fit rests on may need them before: no penalty, no NULL to fill (the caller
    counts them), no TRANSFORM, and only numbers.
    """
    options = request.options
    return (
        request.transform is None
        and all(features.is_number(kind) for _, kind in request.input_columns)
        and options["fit_intercept"]
        and not options["calculate_p_values"]
        and options["l1_reg"] == options["l2_reg"] == 0
    )


def _with_moments(
    design: Rows, info: list[tuple[Any, ...]], sums: Sums, near: np.ndarray[Any, Any]
) -> tuple[Rows, list[tuple[Any, ...]]]:
    """Put exact moments where those of a sample were."""
    means, sds, medians = sums.mean(near).tolist(), sums.sd().tolist(), sums.median().tolist()
    learnt = [
        # a column that never varies keeps its exact mean and a deviation of 0
        feature if feature.is_constant else replace(feature, mean=mean, stddev=sd)
        for feature, mean, sd in zip(design.features, means, sds, strict=True)
    ]
    described = [
        (*row[:5], feature.mean, middle, feature.stddev, *row[8:])
        for row, feature, middle in zip(info, learnt, medians, strict=True)
    ]
    return replace(design, features=learnt), described


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

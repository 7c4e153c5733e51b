"""One model a group: with group_cols a statement trains on the rows of every group by themselves.

The model of group 7 of version 2 of ``sales`` is version 7 of ``sales@2`` in the tables of
parameters and in the names of functions. The functions of ``sales@2`` call those of its groups.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from mlpond.errors import MlpondError, TrainingError
from mlpond.models import registry
from mlpond.models.families import Fitted, Training
from mlpond.models.group_macros import Group, grouped_macros
from mlpond.models.job import train
from mlpond.models.label import find_task
from mlpond.models.profile import feature_info
from mlpond.models.registry import Version
from mlpond.models.source import Source
from mlpond.models.splits import Split
from mlpond.models.store import describe, further_macros, install, store
from mlpond.models.stream import Rows
from mlpond.models.validation.measure import taken_back
from mlpond.sql.templates.quoting import identifier, literal

if TYPE_CHECKING:
    from mlpond.models.job import Job

SORT_FROM = 16  # groups from which the rows are put in their order, so that a scan skips others
NAMED = 3  # groups that a warning names


@dataclass(frozen=True)
class _Trained:
    """What became of a group: its model, or why it has none."""

    group: Group
    n: int
    n_held_out: int = 0
    fitted: Fitted | None = None
    error: str | None = None
    seconds: float = 0.0


def train_groups(job: Job, started: float) -> Version:
    """Train a model a group and store them as one version.

    A group whose rows allow no model has none; it is in ml.group_info with the reason, and its
    rows are predicted as NULL.

    Raises:
        TrainingError: no group has a model.
    """
    names = [
        job.source.column(f"{job.request.who}: group_cols: column", name)
        for name in job.request.options["group_cols"]
    ]
    listed = ", ".join(identifier(name) for name in names)
    texts = ", ".join(f"{identifier(name)}::varchar" for name in names)
    found = job.engine.rows(
        f"select {listed}, count(*), [{texts}] "
        f"from {job.source.relation} group by all "
        f"order by {', '.join(f'{identifier(name)} nulls last' for name in names)}"
    )
    groups = [
        _group(job, names, number, row[:-2], row[-1]) for number, row in enumerate(found, start=1)
    ]
    with _in_order(job, listed, len(groups)) as relation:
        done = [
            _train_group(job, group, relation, int(row[-2]), len(groups))
            for group, row in zip(groups, found, strict=True)
        ]
        trained = [result for result in done if result.fitted is not None]
        if not trained:
            raise TrainingError(
                f"{job.request.who}: none of {len(done)} groups has a model; the first said: "
                f"{done[0].error}"
            )
        job.report("storing the model", None)
        macros = grouped_macros(
            job.engine, job.version, [(name, str(job.source.type_of(name))) for name in names],
            [(result.group, result.fitted.macros) for result in trained if result.fitted],
            f"(select * from {relation} where {trained[0].group.condition})",
        )  # fmt: skip
    _store_groups(job, done)
    store(_whole(job, done), _joint(done, macros), started)
    return job.version


def _group(
    job: Job, names: list[str], number: int, values: tuple[Any, ...], texts: list[str | None]
) -> Group:
    written = [
        "NULL" if value is None else f"{literal(value)}::{job.source.type_of(name)}"
        for name, value in zip(names, values, strict=True)
    ]
    condition = " and ".join(
        f"{identifier(name)} is null" if value is None else f"{identifier(name)} = {text}"
        for name, value, text in zip(names, values, written, strict=True)
    )
    said = ", ".join(
        f"{name} = {literal(value)}" for name, value in zip(names, values, strict=True)
    )
    return Group(number, tuple(names), tuple(written), texts, condition, said)


@contextmanager
def _in_order(job: Job, listed: str, groups: int) -> Iterator[str]:
    """Give the rows as a relation in which those of a group are quickly found."""
    if groups < SORT_FROM:
        yield job.source.relation
        return
    name = f"temp.{identifier(f'mlpond_groups_{job.version.full_name}')}"
    job.report("sorting the rows by group", None)
    job.engine.execute(
        f"create or replace temp table {name.removeprefix('temp.')} as "
        f"select * from {job.source.relation} order by {listed}"
    )
    try:
        yield name
    finally:
        job.engine.drop_quietly(name)


def _train_group(job: Job, group: Group, relation: str, n: int, total: int) -> _Trained:
    """Train on the rows of one group, and store what is found."""
    started = time.perf_counter()
    statement = job.request.statement
    request = replace(
        job.request,
        statement=replace(
            statement,
            name=f"{statement.name}: {group.said}",
            query=f"select * from ({statement.query}\n) where {group.condition}",
        ),
    )
    version = Version(job.version.full_name, group.number, ())
    source = Source(f"(select * from {relation} where {group.condition})", job.source.columns)
    what = f"group {group.number} of {total}, {group.said}"
    part = replace(
        job.telling(what), request=request, version=version, existing=[], source=source, n=n,
        _encoded={},
    )  # fmt: skip
    try:
        with taken_back(job.engine, version, always=False):
            part = replace(part, task=find_task(job.engine, request, source.relation))
            training = part.prepare(request, version, part.split(request), gather=False)
            fitted = train(training)
            fitted = replace(fitted, macros=[*fitted.macros, *further_macros(training, fitted)])
            install(training, fitted)
            describe(training, fitted)
    except (MlpondError, ValueError, ArithmeticError, np.linalg.LinAlgError) as error:
        return _Trained(group, n, error=str(error), seconds=time.perf_counter() - started)
    job.report(f"{what}: loss {fitted.loss}", group.number / total)
    seconds = time.perf_counter() - started
    group = replace(group, held_out=training.n_held_out > 0)
    return _Trained(group, training.n, training.n_held_out, fitted, None, seconds)


def _store_groups(job: Job, done: list[_Trained]) -> None:
    registry.insert(
        job.engine, "groups",
        ("model", "version", "group_id", "group_values", "training_rows", "evaluation_rows",
         "loss", "seconds", "status", "error_message", "warnings"),
        [
            (job.version.name, job.version.version, r.group.number, r.group.texts, r.n,
             r.n_held_out, r.fitted.loss if r.fitted else None, r.seconds,
             "SUCCEEDED" if r.fitted else "FAILED", r.error, r.fitted.warnings if r.fitted else [])
            for r in done
        ],
    )  # fmt: skip


def _whole(job: Job, done: list[_Trained]) -> Training:
    """All groups as one training, for the row of ml.models and ml.features."""
    request, source = job.request, job.source
    trained = [result for result in done if result.fitted is not None]
    info, _ = feature_info(
        request.statement.name, job.engine, source.relation, request.input_columns, job.n
    )
    return Training(
        job.engine, request, job.version, job.existing, job.task, source, Split(None),
        source.relation, sum(r.n for r in trained), sum(r.n_held_out for r in trained), None,
        Rows(source.relation, [], "0e0"), None, info, False, job.threads, job.report,
    )  # fmt: skip


def _joint(done: list[_Trained], macros: list[registry.Macro]) -> Fitted:
    """What the models of all groups are together: their mean loss by rows, their warnings."""
    pairs = [(r, r.fitted) for r in done if r.fitted is not None]
    losses = [(r.n, fitted.loss) for r, fitted in pairs if fitted.loss is not None]
    rows = sum(n for n, _ in losses)
    loss = math.fsum(n * value for n, value in losses) / rows if rows else None
    failed = [result for result in done if result.fitted is None]
    warnings = []
    if failed:
        named = "; ".join(f"{r.error}" for r in failed[:NAMED])
        more = f"; and {len(failed) - NAMED} more" if len(failed) > NAMED else ""
        warnings.append(
            f"groups: {len(failed)} of {len(done)} groups have no model and are predicted as "
            f"NULL: {named}{more}"
        )
    kinds: dict[str, list[str]] = {}
    for result, fitted in pairs:
        for kind in {text.partition(":")[0] for text in fitted.warnings}:
            kinds.setdefault(kind, []).append(result.group.said)
    warnings += [
        f"{kind}: in {len(where)} of {len(done)} groups, the first where {where[0]}; "
        "ml.group_info tells all"
        for kind, where in kinds.items()
    ]
    return Fitted(macros, loss=loss, warnings=warnings)

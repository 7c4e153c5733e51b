"""The folds of a cross-validation as parts to train on and to predict."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from mlpond.errors import InputError, TrainingError
from mlpond.models.validation.measure import Part
from mlpond.sql.templates.quoting import identifier, string

if TYPE_CHECKING:
    from mlpond.models.job import Job

FOLD = "__mlpond_fold"


@contextmanager
def folded(job: Job, k: int) -> Iterator[list[Part]]:
    """Deal the rows of a job out to folds, as ``ml.folds`` does, in a temporary table.

    Raises:
        TrainingError: a fold has no rows, or leaves none of some class to train on.
    """
    engine, who = job.engine, job.request.who
    table = identifier(f"mlpond_folds_{uuid.uuid4().hex}")
    relation = f"temp.{table}"
    engine.execute(f"create temp table {table} as {_query(job, k)}")
    try:
        counts = dict(
            engine.rows(f"select {FOLD}, count(*) from {relation} group by all order by all")
        )
        numbers = sorted(number for number in counts if number is not None and number > 0)
        rolling = job.request.options["fold_method"] == "ROLLING_ORIGIN"
        if job.request.options["fold_method"] != "CUSTOM":
            missing = [number for number in range(1, k + 1) if number not in counts]
            if missing:
                raise TrainingError(
                    f"{who}: fold {missing[0]} of {k} has no rows; choose fewer folds. "
                    f"(There are {job.n} rows, and rows of one group or moment stay together.)"
                )
        elif len(numbers) < 2:
            raise TrainingError(
                f"{who}: fold_col {job.request.options['fold_col']} has {len(numbers)} values; "
                "a cross-validation needs two folds or more."
            )
        yield [_part(job, relation, number, counts[number], rolling) for number in numbers]
    finally:
        engine.drop_quietly(relation)


def _query(job: Job, k: int) -> str:
    """Write the query of the rows with their fold."""
    options, source, who = job.request.options, job.source, job.request.who
    method = options["fold_method"] or ("STRATIFIED" if job.task.classes else "RANDOM")
    column = options["fold_col"]
    if method == "STRATIFIED" and column is None:
        column = job.task.label
    if column is not None:
        column = source.column(f"{who}: fold_col: column", column)
    names = [name for name, _ in source.columns]
    taken = next((name for name in names if name.lower() == "fold"), None)
    if taken is not None and (method != "CUSTOM" or taken != column):
        raise InputError(
            f"{who}: the query has a column {taken}, the name of the column that says the fold; "
            "rename it, or make it the folds with fold_method = 'CUSTOM'."
        )
    if method == "CUSTOM":
        value = identifier(column)
        rank = f"dense_rank() over (order by {value} nulls last)"
        return (
            f"select *, case when {value} is not null then {rank} end as {FOLD} "
            f"from {source.relation}"
        )
    by = "" if column is None else f", fold_col := {string(column)}"
    relation = string(_in_brackets(source.relation))
    return (
        f"select * exclude (fold), fold as {FOLD} from ml.folds({relation}, "
        f"k := {k}, method := {string(method.lower())}{by}, seed := {options['seed']})"
    )


def _in_brackets(relation: str) -> str:
    return relation if relation.startswith("(") else f"(from {relation})"


def _part(job: Job, relation: str, number: int, n: int, rolling: bool) -> Part:
    before = f"{FOLD} < {number}" if rolling else f"{FOLD} is distinct from {number}"
    rows = f"(select * exclude ({FOLD}) from {relation} where {before})"
    label = "0" if not job.task.label else f"count(distinct {identifier(job.task.label)})"
    total, classes = job.engine.row(f"select count(*), {label} from {rows}")
    if total == 0:
        raise TrainingError(
            f"{job.request.who}: fold {number} leaves no rows to train on; choose fewer folds."
        )
    if job.task.classes and classes < len(job.task.classes):
        raise TrainingError(
            f"{job.request.who}: without fold {number}, only {classes} of "
            f"{len(job.task.classes)} classes are left to train on; use fold_method = "
            "'STRATIFIED', or fewer folds."
        )
    held = f"(select * exclude ({FOLD}) from {relation} where {FOLD} = {number})"
    return Part(number, job.on(rows, total), held, n)

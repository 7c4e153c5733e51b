"""The family matrix_factorization: explicit and implicit feedback, and BPR (ours)."""

from __future__ import annotations

import math
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from mlpond.arrow import to_numpy
from mlpond.engine import Engine
from mlpond.errors import InputError, TrainingError
from mlpond.models import features
from mlpond.models.factors import FACTOR_COLUMNS, FactorRows, Named, factorization_macros
from mlpond.models.families.family import Family, Fitted, Iteration, Table, Training
from mlpond.models.option import Option, Range, refuse
from mlpond.models.source import Source
from mlpond.sql.templates.quoting import identifier
from mlpond.udfs.design import Block
from mlpond.udfs.trainer import fold

if TYPE_CHECKING:
    from mlpond.models.options import Options
    from mlpond.models.request import Request
    from mlpond.udfs.recommend.fit import Fit
    from mlpond.udfs.recommend.fit import Options as FitOptions

MOST_FACTORS = 200
L2_REG = {"EXPLICIT": 1.0, "IMPLICIT": 1.0, "BPR": 0.01}  # of BPR a draw pays it, not the whole

OPTIONS = (
    Option("data_split_method", "string", "NO_SPLIT",
           ("AUTO_SPLIT", "RANDOM", "CUSTOM", "SEQ", "NO_SPLIT")),
    Option("feedback_type", "string", "EXPLICIT", ("EXPLICIT", "IMPLICIT", "BPR")),
    Option("num_factors", "integer", None, low=1, high=MOST_FACTORS, tune=Range(2, 20)),
    # strings, not columns: they are the inputs of the model
    Option("user_col", "string", "user"),
    Option("item_col", "string", "item"),
    Option("rating_col", "string", "rating"),
    Option("wals_alpha", "float", 40.0, low=0.0, tune=Range(0, 100)),
    Option("l2_reg", "float", None, low=0.0, tune=Range(0, 10, open_low=True)),
    Option("learn_rate", "float", 0.05, low=0.0, open_low=True),
    Option("solver", "string", "AUTO", ("AUTO", "CHOLESKY", "CONJUGATE_GRADIENT")),
)  # fmt: skip


def _check_options(who: str, options: Options) -> None:
    kind = options["feedback_type"]
    for name, allowed in (("wals_alpha", "IMPLICIT"), ("learn_rate", "BPR")):
        if name in options.given and kind != allowed:
            refuse(who, f"{name} is for feedback_type = '{allowed}', but it is '{kind}'.")
    if "solver" in options.given and kind == "BPR":
        refuse(who, "solver is for EXPLICIT and IMPLICIT feedback; BPR takes gradient steps.")
    named = [options[name].lower() for name in ("user_col", "item_col", "rating_col")]
    if len(set(named)) < 3:
        refuse(
            who, f"user_col, item_col and rating_col are {', '.join(named)}; name three columns."
        )


def _check_columns(request: Request) -> None:
    names = _names(request)
    if request.transform is not None:
        raise InputError(
            f"{request.who}: matrix_factorization has no features for TRANSFORM; leave it out."
        )
    kinds = dict(request.columns)
    for name in (names.user, names.item):
        if kinds[name].id in ("list", "array", "struct", "map", "union"):
            raise InputError(
                f"{request.who}: {name} has type {kinds[name]}; an id needs a simple type."
            )
    if names.rating is not None and not features.is_number(kinds[names.rating]):
        raise InputError(
            f"{request.who}: {names.rating} has type {kinds[names.rating]}; ratings need a number."
        )


def _names(request: Request) -> Named:
    """Find the columns of user, item and rating, as the query spells them."""
    options, source = request.options, Source("", request.columns)
    user = source.column(f"{request.who}: user_col: column", options["user_col"])
    item = source.column(f"{request.who}: item_col: column", options["item_col"])
    rating: str | None = None
    # BPR asks only which pairs there are
    present = options["rating_col"].lower() in {name.lower() for name, _ in request.columns}
    if present or options["feedback_type"] != "BPR" or "rating_col" in options.given:
        rating = source.column(f"{request.who}: rating_col: column", options["rating_col"])
    kinds = dict(request.columns)
    return Named(
        user, item, rating, options["rating_col"], _type(kinds[user]), _type(kinds[item]),
        options["feedback_type"],
    )  # fmt: skip


def _type(kind: Any) -> str:
    """The type that ids are given back in."""
    return "VARCHAR" if kind.id == "enum" else str(kind)


def _train(training: Training) -> Fitted:
    request, names = training.request, _names(training.request)
    _check_ratings(training, names)
    with _coded(training, names) as coded:
        options = _fit_options(training, coded)
        fit = _fit(training, coded, options)
        tables = {"factors": Table(FACTOR_COLUMNS, FactorRows(fit, *coded.ids()))}
    used = {names.user.lower(), names.item.lower(), (names.rating or "").lower()}
    warnings = [
        f"unused: {name} is neither user, item nor rating and is not looked at"
        for name, _ in request.input_columns
        if name.lower() not in used
    ]
    return Fitted(
        factorization_macros(
            training.version, names, fit, training.evaluation_query, training.training_query
        ),
        tables=tables,
        iterations=[
            Iteration(
                step.iteration, step.loss, _known(step.eval_loss),
                step.learning_rate if names.feedback == "BPR" else None, step.milliseconds,
            )
            for step in fit.iterations
        ],
        loss=fit.loss,
        warnings=warnings + _warnings(fit, names, options),
        statistics={
            "objective": fit.objective,
            "converged": float(fit.converged),
            "num_factors": float(options.num_factors),
            "users": float(fit.users.intercept.size),
            "items": float(fit.items.intercept.size),
        },
    )  # fmt: skip


def _known(value: float) -> float | None:
    return None if math.isnan(value) else value


def _check_ratings(training: Training, names: Named) -> None:
    """Refuse rows without a user, an item or a rating, and negative implicit feedback."""
    who = training.request.who
    counts = ["count(*)"]
    parts = [name for name in (names.user, names.item, names.rating) if name is not None]
    counts += [f"count({identifier(name)})" for name in parts]
    if names.rating is not None:
        counts.append(f"count_if({identifier(names.rating)} < 0)")
    total, *rest = training.engine.row(
        f"select {', '.join(counts)} from {training.source.relation}"
    )
    for name, present in zip(parts, rest, strict=False):
        if present < total:
            raise TrainingError(
                f"{who}: {name} is NULL in {total - present} of {total} rows; leave them out, for "
                f"example with WHERE {name} IS NOT NULL."
            )
    if names.rating is not None and names.feedback == "IMPLICIT" and rest[-1]:
        raise TrainingError(
            f"{who}: {names.rating} is below 0 in {rest[-1]} of {total} rows; implicit feedback "
            "counts how often, so it needs 0 or more. For likes and dislikes use "
            "feedback_type = 'EXPLICIT'."
        )


@dataclass(frozen=True)
class _Coded:
    """Temporary tables that number the ids of both sides from 0, in the order of the ids."""

    engine: Engine
    names: Named
    tables: tuple[str, str]
    users: int
    items: int

    def blocks(self, relation: str, *, all_known: bool) -> Iterator[Block]:
        """Stream ratings as blocks; code -1 is an id that training does not know."""
        kind = "" if all_known else "left "
        rating = "1e0" if self.names.rating is None else f"{identifier(self.names.rating)}::double"
        joins = " ".join(
            f"{kind}join {table} as {alias} on {alias}.id = __rows.{identifier(name)}"
            for table, alias, name in zip(
                self.tables, ("__user", "__item"), (self.names.user, self.names.item), strict=True
            )
        )
        query = (
            f"select coalesce(__user.code, -1) as u, coalesce(__item.code, -1) as i, "
            f"{rating} as r from {relation} as __rows {joins}"
        )
        with self.engine.stream(query) as batches:
            for batch in batches:
                user, item, value = (to_numpy(column) for column in batch.columns)
                yield Block(np.empty((value.size, 0)), (user, item), (), value)

    def ids(self) -> tuple[list[str], list[str]]:
        """The ids of both sides as text, in the order of their codes."""
        users, items = (
            [row[0] for row in self.engine.rows(f"select id::varchar from {table} order by code")]
            for table in self.tables
        )
        return users, items


@contextmanager
def _coded(training: Training, names: Named) -> Iterator[_Coded]:
    engine = training.engine
    mark = uuid.uuid4().hex
    tables = tuple(f"temp.{identifier(f'mlpond_{side}_{mark}')}" for side in ("users", "items"))
    sizes = []
    try:
        for table, name in zip(tables, (names.user, names.item), strict=True):
            training.report("numbering the ids", None)
            engine.execute(
                f"create temp table {table.removeprefix('temp.')} as "
                "select id, (row_number() over (order by id) - 1)::integer as code "
                f"from (select distinct {identifier(name)} as id from {training.relation})"
            )
            sizes.append(engine.value(f"select count(*) from {table}"))
        yield _Coded(engine, names, (tables[0], tables[1]), sizes[0], sizes[1])
    finally:
        for table in tables:
            engine.drop_quietly(table)


def _fit_options(training: Training, coded: _Coded) -> FitOptions:
    from mlpond.udfs.recommend.fit import Options as FitOptions

    options = training.options
    kind = options["feedback_type"]
    factors = options["num_factors"]
    if factors is None:  # BigQuery ML's default
        factors = min(max(round(math.log2(training.n)), 2), MOST_FACTORS)
    return FitOptions(
        feedback_type=kind,
        num_factors=factors,
        l2_reg=L2_REG[kind] if options["l2_reg"] is None else options["l2_reg"],
        wals_alpha=options["wals_alpha"],
        learn_rate=options["learn_rate"],
        solver=options["solver"],
        max_iterations=options["max_iterations"],
        early_stop=options["early_stop"],
        min_rel_progress=0.01
        if options["min_rel_progress"] is None
        else options["min_rel_progress"],
        seed=options["seed"],
        threads=training.threads,
    )


def _fit(training: Training, coded: _Coded, options: FitOptions) -> Fit:
    from mlpond.udfs.recommend.matrix_factorization import matrix_factorization

    training.report("reading the ratings", None)
    first = matrix_factorization(coded.users, coded.items, options)
    try:
        state = fold(first, coded.blocks(training.relation, all_known=True))
        held_out = None
        if training.split.held_out and first.evaluation is not None:
            relation = training.split.evaluation_rows(training.source.relation)
            assert relation is not None
            held_out = fold(first.evaluation, coded.blocks(relation, all_known=False))
        training.report("fitting the factors", None)
        return first.finish(state, held_out)
    except ValueError as error:
        raise TrainingError(f"{training.request.who}: {error}") from error


def _warnings(fit: Fit, names: Named, options: FitOptions) -> list[str]:
    said = []
    for side, name, other in ((fit.users, names.user, "item"), (fit.items, names.item, "user")):
        if side.intercept.size == 1:
            said.append(
                f"one_id: {name} has one value, so the factors cannot tell more than the "
                f"intercept of each {other}"
            )
    if not fit.converged and options.early_stop and len(fit.iterations) > 1:
        before, after = (step.objective for step in fit.iterations[-2:])
        said.append(
            f"not_converged: the objective still fell by {(before - after) / abs(before):.1%} in "
            f"the last of {options.max_iterations} iterations; raise max_iterations"
        )
    return said


def _objectives(options: Options) -> tuple[str, ...]:
    if options["feedback_type"] == "EXPLICIT":
        return ("MEAN_SQUARED_ERROR",)
    return (
        "MEAN_AVERAGE_PRECISION", "MEAN_SQUARED_ERROR", "NORMALIZED_DISCOUNTED_CUMULATIVE_GAIN",
        "AVERAGE_RANK",
    )  # fmt: skip


MATRIX_FACTORIZATION = Family(
    "MATRIX_FACTORIZATION", "none", OPTIONS, _train,
    check_options=_check_options, check_columns=_check_columns, uses_features=False,
    task="recommendation", objectives=_objectives,
)  # fmt: skip

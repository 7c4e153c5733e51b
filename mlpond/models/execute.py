"""Carrying out a model statement on a session."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

from mlpond.engine import Engine
from mlpond.errors import InputError, StatementError
from mlpond.models import registry
from mlpond.models.export import export_model
from mlpond.models.train import create_model
from mlpond.sql.dialect import AlterModel, CreateModel, DropModel, ExportModel, Plain, Statement

if TYPE_CHECKING:
    from mlpond.instance import Instance
    from mlpond.session import Session


def execute(pond: Session, statement: Statement) -> None:
    """Carry out one model statement.

    Raises:
        MlpondError: it is wrong or failed; the database is as it was before.
    """
    if isinstance(statement, CreateModel):
        create_model(
            pond.engine, statement, threads=threads_of(pond.engine), report=pond.report,
            searches=pond.searches,
        )  # fmt: skip
    elif isinstance(statement, DropModel):
        with pond.transaction():
            registry.drop(pond.engine, statement.name, if_exists=statement.if_exists)
    elif isinstance(statement, AlterModel):
        with pond.transaction():
            registry.alter(
                pond.engine, statement.name, statement.options, if_exists=statement.if_exists
            )
    elif isinstance(statement, ExportModel):
        export_model(pond.engine, statement.name, statement.options)
    elif isinstance(statement, Plain):
        raise StatementError("execute: this is not a model statement; give it to DuckDB.")


def train_from_sql(instance: Instance, model: str, query: str, options: str) -> str:
    """Train a model for ``ml_train``: on a cursor, since the caller's connection is in a query.

    Returns:
        The full name of the new version.
    """
    values = _options("ml_train", options)
    transform = values.pop("transform", None)
    statement = CreateModel(
        model, or_replace=True, transform=transform, options=values, query=query
    )
    with instance.engine.on_cursor() as cursor:
        version = create_model(
            cursor, statement, threads=threads_of(cursor), report=instance.report,
            searches=instance.searches,
        )  # fmt: skip
    return version.full_name if version else model


def eliminate_from_sql(instance: Instance, query: str, options: str, step: int, folds: int) -> str:
    """Drop features one after the other for ``ml_eliminate``, and return them as JSON."""
    from mlpond.models.elimination import as_rows, eliminate

    values = _options("ml_eliminate", options)
    with instance.engine.on_cursor() as cursor:
        found = eliminate(
            cursor, query, values, step=step, folds=folds, threads=threads_of(cursor),
            report=instance.report, searches=instance.searches,
        )  # fmt: skip
    return json.dumps(as_rows(found))


def _options(who: str, options: str) -> dict[str, Any]:
    """Read a STRUCT of options, as JSON."""
    given: Any = json.loads(options)
    if not isinstance(given, dict):
        raise InputError(
            f"{who}: options is {options}; give a STRUCT, such as {{model_type: 'linear_reg'}}."
        )
    return {key.lower(): _struct(value) for key, value in given.items()}


def threads_of(engine: Engine) -> int:
    """Return how many threads DuckDB may use, which is how many training uses."""
    return min(int(engine.value("select current_setting('threads')")), os.cpu_count() or 1)


def _struct(value: Any) -> Any:
    """Turn a JSON list of pairs into what an OPTIONS list gives."""
    if isinstance(value, list):
        return [tuple(item) if isinstance(item, list) else item for item in value]
    return value

"""A CREATE MODEL statement, checked against the columns of its query before any row is read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import duckdb

from mlpond.engine import Engine
from mlpond.errors import InputError, StatementError
from mlpond.models import features
from mlpond.models.options import Options, check_options
from mlpond.models.source import Source, columns_of, types_of
from mlpond.models.splits import check_split_column
from mlpond.models.transform import Transform, inputs, read_transform
from mlpond.sql.dialect.statements import CreateModel


@dataclass(frozen=True)
class Request:
    """A CREATE MODEL statement whose options and columns have been checked."""

    statement: CreateModel
    options: Options
    columns: list[tuple[str, Any]]
    label: str | None  # as the query spells it
    reserved: frozenset[str]  # columns that are no features, in lower case
    transform: Transform | None

    @property
    def who(self) -> str:
        """The statement's name in messages."""
        return f"CREATE MODEL {self.statement.name}"

    @property
    def input_columns(self) -> list[tuple[str, Any]]:
        """The columns of the query from which features are made."""
        free = [(name, kind) for name, kind in self.columns if name.lower() not in self.reserved]
        if self.transform is None:
            return free
        read = set(inputs(self.transform, [name for name, _ in free]))
        return [(name, kind) for name, kind in free if name in read]


def check_request(engine: Engine, statement: CreateModel) -> Request:
    """Check a statement against the columns of its query, before any row is read."""
    who = f"CREATE MODEL {statement.name}"
    options = check_options(statement.name, statement.options)
    if statement.query is None:
        raise StatementError(f"{who}: the training query is missing; add AS SELECT ….")
    try:
        columns = columns_of(engine, statement.query)
    except duckdb.Error as error:
        raise InputError(f"{who}: DuckDB refused the training query: {error}") from error
    source = Source("", columns)
    label = None
    if options.label is not None:
        label = source.column(f"{who}: input_label_cols: column", options.label)
        _check_label(who, options, label, source.type_of(label))
    check_split_column(statement.name, columns, options)
    reserved = {label.lower()} if label is not None else set()
    for option, name in options.columns:
        reserved.add(source.column(f"{who}: {option}: column", name).lower())
    transform = None
    if statement.transform is not None:
        query = statement.query
        transform = read_transform(
            statement.name, statement.transform, [name for name, _ in columns],
            lambda expressions: types_of(engine, who, expressions, query),
        )  # fmt: skip
        if options.model_type != "TRANSFORM_ONLY":
            _check_windows(who, transform)
        passed = {item.alias.lower(): item for item in transform.items}
        for name in sorted(reserved):
            if name not in passed or passed[name].column is None:
                raise StatementError(
                    f"{who}: TRANSFORM must pass the column {name} through as it is; "
                    "add its bare name to the list."
                )
    request = Request(statement, options, columns, label, frozenset(reserved), transform)
    if not request.input_columns:
        what = f"the query has no column besides {', '.join(sorted(reserved))}; add features."
        if not reserved:
            named = ", ".join(name for name, _ in columns)
            what = f"TRANSFORM reads no column of the query; it has {named}."
        raise InputError(f"{who}: {what}")
    if options.family.uses_features and transform is None:
        features.atoms(statement.name, request.input_columns, {})  # refuses types
    options.family.check_columns(request)
    return request


def _check_windows(who: str, transform: Transform) -> None:
    """Refuse windows over rows: holding out, folds and explanations part a row from its series."""
    for item in transform.items:
        for placed in item.calls:
            if placed.function.over == "series":
                raise StatementError(
                    f"{who}: TRANSFORM: ML.{placed.function.name} looks at other rows, which are "
                    "not those of the table once rows are held out. Make it in the query behind "
                    "AS, or in a model of type transform_only, and train on ML.TRANSFORM of that."
                )


def _check_label(who: str, options: Options, label: str, kind: Any) -> None:
    family = options.family
    is_number = features.is_number(kind) or (family.boolean_label and kind.id == "boolean")
    if family.label == "number" and not is_number:
        raise InputError(
            f"{who}: label {label} has type {kind}; {family.name} needs a number. "
            "For classes use a classifier, such as model_type = 'logistic_reg'."
        )
    if family.label == "class" and kind.id in ("list", "array", "struct", "map"):
        raise InputError(
            f"{who}: label {label} has type {kind}; {family.name} needs a simple type."
        )

"""What a chart is: a small function from the rows of a query to a drawing and its words.

    def scatter(source: Source, x: Column, y: Column, *, limit: int = 500) -> Drawing:

The signature is the contract. What a pipeline declares for a chart is held against it before the
function is called: ``Column`` must be a column of the source, other types are what they say. The
function asks the source for the few hundred rows that it draws, so that a table of any size can
be shown, and its ``summary`` says in words what the picture shows: screen readers read that.
"""

from __future__ import annotations

import datetime as dt
import decimal
import inspect
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NewType

import altair as alt
import duckdb

from mlpond.errors import InputError, PipelineError
from mlpond.sql.templates.quoting import identifier
from mlpond.sql.templates.renderer import unknown
from mlpond.type_names import is_number, is_time

Column = NewType("Column", str)
Columns = NewType("Columns", tuple[str, ...])
"""One column or several, each a series of its own."""

Row = dict[str, Any]
AnyChart = alt.Chart | alt.LayerChart

_ZONED = "TIMESTAMP WITH TIME ZONE"
_SAFE = 2**53  # beyond it, JSON's readers round whole numbers


@dataclass(frozen=True)
class Drawing:
    """A chart and what it shows, in one or two sentences with numbers."""

    chart: AnyChart
    summary: str


@dataclass(frozen=True)
class Source:
    """The rows that a chart is made from.

    Attributes:
        con: The connection.
        sql: A query.
        name: What messages call it.
    """

    con: duckdb.DuckDBPyConnection
    sql: str
    name: str

    @property
    def relation(self) -> str:
        """The query as it can stand behind FROM; moments with a time zone are in UTC."""
        zoned = [name for name, type_ in self.types.items() if type_ == _ZONED]
        if not zoned:
            return f"({self.sql})"
        moments = ", ".join(f"{ident(name)} at time zone 'UTC' as {ident(name)}" for name in zoned)
        return f"(select * replace ({moments}) from ({self.sql}))"

    @cached_property
    def types(self) -> dict[str, str]:
        """Each column with its type."""
        rows = self.con.execute(f"describe select * from ({self.sql})").fetchall()
        return {row[0]: row[1] for row in rows}

    def column(self, name: str) -> str:
        """The column as it is spelt in the source.

        Raises:
            InputError: the source has no such column.
        """
        for known in self.types:
            if known.casefold() == name.casefold():
                return known
        raise InputError(unknown(f"report: column of {self.name}", name, list(self.types)))

    def kind(self, column: str) -> str:
        """How a column is measured: quantitative, temporal or nominal."""
        type_ = self.types[column]
        if is_time(type_):
            return "temporal"
        return "quantitative" if is_number(type_) else "nominal"

    def rows(self, query: str) -> list[Row]:
        """Run a query; values are what JSON has, for they go into the chart."""
        cursor = self.con.execute(query)
        names = [column[0] for column in cursor.description or ()]
        return [dict(zip(names, map(plain, row), strict=True)) for row in cursor.fetchall()]

    def row(self, query: str) -> Row:
        """Run a query and return its first row."""
        return self.rows(query)[0]


def plain(value: object) -> object:
    """A value as JSON has it; what is not finite becomes null, moments are UTC."""
    if isinstance(value, decimal.Decimal):
        value = float(value)
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dt.datetime):
        return value.isoformat() + ("" if value.tzinfo else "Z")
    if isinstance(value, dt.date):
        return value.isoformat()
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) > _SAFE:
        return float(value)
    if value is None or isinstance(value, (str, int)):
        return value
    return str(value)


def ident(column: str) -> str:
    """A column as SQL needs it."""
    return identifier(column)


Draw = Callable[..., Drawing]


def draw(kind: str, function: Draw, source: Source, settings: Mapping[str, object]) -> Drawing:
    """Hold settings against the signature of a chart's function, and call it.

    Raises:
        InputError: a setting is unknown, missing, of another type, or names no column.
    """
    parameters = dict(list(inspect.signature(function, eval_str=True).parameters.items())[1:])
    who = f"report: chart {kind} of {source.name}"
    arguments: dict[str, object] = {}
    for name, value in settings.items():
        if name not in parameters:
            raise InputError(unknown(f"{who}: setting", name, list(parameters)))
        arguments[name] = _checked(who, name, parameters[name].annotation, value, source)
    missing = [
        name
        for name, parameter in parameters.items()
        if parameter.default is parameter.empty and name not in arguments
    ]
    if missing:
        raise InputError(
            f"{who}: {' and '.join(missing)} must be given; it takes {accepted(function)}."
        )
    try:
        return function(source, **arguments)
    except duckdb.Error as error:
        raise PipelineError(f"{who}: {error}") from error


def accepted(function: Draw) -> str:
    """What a chart takes, in words."""
    parameters = list(inspect.signature(function, eval_str=True).parameters.values())[1:]
    return ", ".join(
        f"{p.name} ({_WORDS[p.annotation]}{'' if p.default is p.empty else ', optional'})"
        for p in parameters
    )


_WORDS: dict[Any, str] = {
    Column: "a column",
    Column | None: "a column",
    Columns: "a column or a list of columns",
    int: "an integer of at least 1",
    float | None: "a number",
    bool: "true or false",
    str | None: "a string",
}


def _checked(who: str, name: str, type_: Any, value: object, source: Source) -> object:
    if type_ in (Column, Column | None) and isinstance(value, str):
        return source.column(value)
    if type_ is Columns:
        listed = value if isinstance(value, list) else [value]
        if listed and all(isinstance(item, str) for item in listed):
            return tuple(source.column(str(item)) for item in listed)
    is_int = isinstance(value, int) and not isinstance(value, bool)
    if type_ is int and is_int and isinstance(value, int) and value >= 1:
        return value
    if type_ == float | None and (is_int or isinstance(value, float)):
        return value
    if (type_ is bool and isinstance(value, bool)) or (
        type_ == str | None and isinstance(value, str)
    ):
        return value
    raise InputError(f"{who}: {name} is {value!r}; it must be {_WORDS[type_]}.")

"""Typed parameters of a pipeline, as declared in pipeline.toml."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Mapping
from dataclasses import dataclass

from mlpond.errors import InputError, PipelineError
from mlpond.pipelines.runner.names import suggest

Value = bool | int | float | str | dt.date

_KEYS = ("type", "default", "min", "max", "choices", "meaning")
_TRUE = ("true", "yes", "1")
_FALSE = ("false", "no", "0")


@dataclass(frozen=True)
class Parameter:
    """A parameter: its type, its default and what it accepts."""

    name: str
    type: str
    default: Value
    meaning: str = ""
    min: Value | None = None
    max: Value | None = None
    choices: tuple[Value, ...] = ()

    @property
    def accepts(self) -> str:
        """What the parameter accepts, in words."""
        words = {"date": "a date such as 2013-10-01", "boolean": "true or false"}.get(
            self.type, f"{'an' if self.type == 'integer' else 'a'} {self.type}"
        )
        if self.choices:
            return f"{words}, one of " + ", ".join(map(str, self.choices))
        if self.min is not None and self.max is not None:
            return f"{words} from {self.min} to {self.max}"
        if self.min is not None:
            return f"{words} of at least {self.min}"
        if self.max is not None:
            return f"{words} of at most {self.max}"
        return words

    def parse(self, value: object, pipeline: str) -> Value:
        """The value in the parameter's type; text is read as on a command line."""
        parsed = _PARSERS[self.type](value)
        if (
            parsed is None
            or (self.choices and parsed not in self.choices)
            or (self.min is not None and parsed < self.min)  # type: ignore[operator]
            or (self.max is not None and parsed > self.max)  # type: ignore[operator]
        ):
            raise InputError(
                f"pipeline {pipeline}: parameter {self.name} is {value!r}, "
                f"but accepts {self.accepts}."
            )
        return parsed


def _boolean(value: object) -> Value | None:
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value.strip().lower() in _TRUE + _FALSE:
        return value.strip().lower() in _TRUE
    return None


def _integer(value: object) -> Value | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value
    if isinstance(value, float) and value.is_integer():
        return int(value)
    try:
        return int(value) if isinstance(value, str) else None
    except ValueError:
        return None


def _double(value: object) -> Value | None:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None


def _string(value: object) -> Value | None:
    return value if isinstance(value, str) else None


def _date(value: object) -> Value | None:
    if isinstance(value, dt.datetime):
        return None
    if isinstance(value, dt.date):
        return value
    try:
        return dt.date.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None


_PARSERS = {
    "boolean": _boolean,
    "integer": _integer,
    "double": _double,
    "string": _string,
    "date": _date,
}


def read_parameters(tables: object, pipeline: str, path: object) -> tuple[Parameter, ...]:
    """The parameters that the [parameters.NAME] tables of pipeline.toml declare."""
    if not isinstance(tables, dict):
        raise PipelineError(
            f"{path}: parameters is {tables!r}; write one table a parameter, [parameters.NAME]."
        )
    return tuple(_read(name, table, pipeline, path) for name, table in tables.items())


def _read(name: str, table: object, pipeline: str, path: object) -> Parameter:
    where = f"{path}: [parameters.{name}]"
    if not isinstance(table, dict):
        raise PipelineError(f"{where} is {table!r}; it must be a table with type and default.")
    if not name.isidentifier():
        raise PipelineError(f"{where}: the name must be letters, digits and underscores.")
    for key in table:
        if key not in _KEYS:
            raise PipelineError(f"{where}: unknown key {key}; {suggest(key, _KEYS)}")
    kind = table.get("type")
    if kind not in _PARSERS:
        raise PipelineError(f"{where}: type is {kind!r}; accepted are {', '.join(_PARSERS)}.")
    if "default" not in table:
        raise PipelineError(f"{where}: default is missing; a run without arguments needs it.")
    plain = Parameter(name, kind, "", str(table.get("meaning", "")))

    def value(key: str) -> Value | None:
        return plain.parse(table[key], pipeline) if key in table else None

    choices = table.get("choices", [])
    if not isinstance(choices, list):
        raise PipelineError(f"{where}: choices is {choices!r}; it must be a list.")
    parameter = Parameter(
        name,
        kind,
        plain.parse(table["default"], pipeline),
        plain.meaning,
        value("min"),
        value("max"),
        tuple(plain.parse(choice, pipeline) for choice in choices),
    )
    parameter.parse(parameter.default, pipeline)
    return parameter


def resolve(
    parameters: tuple[Parameter, ...], given: Mapping[str, object] | None, pipeline: str
) -> dict[str, Value]:
    """Every parameter's value: the given one, or the default."""
    declared = {parameter.name: parameter for parameter in parameters}
    for name in given or {}:
        if name not in declared:
            accepted = "; ".join(f"{p.name} ({p.accepts})" for p in parameters) or "none"
            hint = suggest(name, declared)
            hint = f" {hint[0].upper()}{hint[1:]}" if hint.startswith("did") else ""
            raise InputError(
                f"pipeline {pipeline}: there is no parameter {name}.{hint} Accepted: {accepted}."
            )
    return {
        name: parameter.parse(given[name], pipeline)
        if given and name in given
        else parameter.default
        for name, parameter in declared.items()
    }

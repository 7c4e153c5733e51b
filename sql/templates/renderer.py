"""Rendering: a template and checked arguments in, DuckDB SQL out."""

from __future__ import annotations

import difflib
import json
import math
import re
from collections.abc import Mapping
from contextlib import suppress
from functools import cache, lru_cache
from typing import Any

import jinja2

from mlpond.errors import InputError, TemplateError
from mlpond.sql.templates import forms, quoting
from mlpond.sql.templates.bytecode import compiled_templates
from mlpond.sql.templates.catalog import Template, catalog, read_text
from mlpond.sql.templates.header import Parameter
from mlpond.sql.templates.lambdas import rename_parameters


class Raw(str):
    """SQL text that is quoted already: it goes into a template as it is."""


@cache
def environment() -> jinja2.Environment:
    """Return the Jinja environment that every template is rendered in."""
    env = jinja2.Environment(
        loader=jinja2.FunctionLoader(read_text),
        bytecode_cache=compiled_templates(),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        autoescape=False,
    )
    env.filters.update(
        ident=quoting.identifier,
        lit=quoting.literal,
        str=quoting.string,
        dbl=quoting.double,
        dbls=quoting.doubles,
        relation=quoting.relation,
        each=forms.each,
        choose=forms.choose,
        each_step=forms.each_step,
        at_most=forms.at_most,
        given=forms.given,
        inside=forms.inside,
    )
    return env


def render(template: Template, arguments: Mapping[str, Any]) -> str:
    """Check arguments against the template's header, quote them, and render its query.

    Raises:
        InputError: an argument is unknown, missing, or not of the header's type.
        TemplateError: the template's Jinja text is broken.
    """
    known = {parameter.name: parameter for parameter in template.header.parameters}
    for name in arguments:
        if name not in known:
            raise InputError(unknown(f"{template.name}: parameter", name, list(known)))
    values: dict[str, str] = {}
    for parameter in template.header.parameters:
        if parameter.type in ("condition", "conditions"):
            given = arguments.get(parameter.name)
            if given is None and parameter.default is None:
                raise InputError(_missing(template.name, parameter))
            values[parameter.name] = _conditions(
                template.name, parameter, given, arguments.get("event")
            )
        elif parameter.name in arguments:
            values[parameter.name] = quote(template.name, parameter, arguments[parameter.name])
        elif parameter.default is not None:
            values[parameter.name] = _default(template.name, parameter, parameter.default)
        else:
            raise InputError(_missing(template.name, parameter))
    return rename_parameters(render_text(template.text, values, template.path))


def _missing(owner: str, parameter: Parameter) -> str:
    return (
        f"{owner}: parameter {parameter.name!r} is missing ({parameter.type}: {parameter.meaning})."
    )


def _conditions(owner: str, parameter: Parameter, value: Any, event: Any) -> str:
    """Write conditions as the macros ml.condition and ml.conditions do."""
    if parameter.type == "condition" and (value is None or isinstance(value, str)):
        return _condition(value, event)
    if isinstance(value, (list, tuple)) and 1 <= len(value) <= 30 and all(
        isinstance(item, str) for item in value
    ):  # fmt: skip
        number = _number([str(item) for item in value], event)
        return forms.Conditions(number, quoting.literal(list(value)), len(value))
    raise InputError(
        f"{owner}: parameter {parameter.name} is {value!r} ({type(value).__name__}); "
        f"it must be of type {parameter.type}: {parameter.meaning}."
    )


def _number(conditions: list[str], event: str | None) -> str:
    """Write a number whose bits say which conditions hold; the highest is that of the first."""
    bits = [1 << i for i in reversed(range(len(conditions)))]
    if event is None:
        held = (
            f"{_condition(c, event)}::bigint * {bit}"
            for c, bit in zip(conditions, bits, strict=True)
        )
        return f"({' + '.join(held)})"
    of_value: dict[str, int] = {}
    for value, bit in zip(conditions, bits, strict=True):
        of_value[value] = of_value.get(value, 0) + bit
    cases = " ".join(f"when {quoting.string(value)} then {n}" for value, n in of_value.items())
    return f"(case {quoting.identifier(event)} {cases} else 0 end)::bigint"


def _condition(condition: str | None, event: str | None) -> str:
    if condition is None:
        return "true"
    if event is None:
        return f"coalesce(({condition}\n)::boolean, false)"
    return f"coalesce({quoting.identifier(event)} = {quoting.string(condition)}, false)"


def _default(owner: str, parameter: Parameter, default: str) -> str:
    """Turn a default, which the header writes as SQL, into what the body takes."""
    if parameter.type == "numbers":
        return quote(owner, parameter, json.loads(default))
    named = parameter.type in ("relation", "column", "expression", "distribution")
    if (named and default != "NULL") or (parameter.type == "duration" and default[0] == "'"):
        return quote(owner, parameter, default[1:-1].replace("''", "'"))
    return default


def render_file(path: str, **values: Any) -> str:
    """Render a template of ours with values as they are; the template quotes by filters.

    Parameters of lambdas get names that no table has: a column of the name of one would be read in
    its place.
    """
    return rename_parameters(render_text(read_text(path), values, path))


def render_text(
    text: str, values: Mapping[str, Any], path: str, fragments: Mapping[str, str] | None = None
) -> str:
    """Render Jinja text; a fault names the template and its line.

    Args:
        text: The text.
        values: What it may ask for.
        path: The name of the template, for messages.
        fragments: Texts that it may import in place of our templates; they see the values, too.
    """
    try:
        template = _with_fragments(text, values, fragments) if fragments else _compiled(text, path)
        return template.render(values).strip() + "\n"
    except jinja2.UndefinedError as error:
        missing = re.search(r"'(\w+)' is undefined", str(error))
        name = missing.group(1) if missing else str(error)
        raise TemplateError(
            f"template {_line_of({path: text, **(fragments or {})}, name)}: "
            + unknown("value", name, sorted(values)).rstrip(".")
            + "."
        ) from error
    except jinja2.TemplateSyntaxError as error:
        raise TemplateError(
            f"template {error.name or path}, line {error.lineno}: {error.message}"
        ) from error


def _with_fragments(
    text: str, values: Mapping[str, Any], fragments: Mapping[str, str]
) -> jinja2.Template:
    among = environment().overlay(loader=jinja2.DictLoader(fragments), bytecode_cache=None)
    among.globals = {**among.globals, **values}  # all that what is imported sees
    return among.from_string(text)


@lru_cache(maxsize=256)
def _compiled(text: str, path: str) -> jinja2.Template:
    """Compile a template once: tuning renders the same ones for every trial, at 20 ms each."""
    with suppress(OSError):
        if read_text(path) == text:  # then its code may be there from an earlier process
            return environment().get_template(path)
    return environment().from_string(text)


def quote(owner: str, parameter: Parameter, value: Any) -> str:
    """Quote one argument by the type its parameter has in the header."""
    kind = parameter.type
    if isinstance(value, Raw):
        return value
    if kind == "model" and isinstance(value, str):
        return quoting.string(value)
    if kind in ("relation", "column") and isinstance(value, str):
        return quoting.relation(value) if kind == "relation" else quoting.identifier(value)
    if kind == "columns" and parameter.default is not None and value in (None, [], ()):
        return "NULL"
    if kind == "columns" and isinstance(value, (list, tuple)) and value:
        return ", ".join(quoting.identifier(name) for name in value)
    if kind == "expression" and isinstance(value, str):
        return f"({value}\n)"
    if kind == "distribution" and isinstance(value, str):
        return _family(owner, parameter, value)
    if kind == "numbers" and isinstance(value, (list, tuple)) and value:
        return ", ".join(quoting.double(item) for item in value)
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if kind == "double" and number:
        return quoting.double(value)
    if kind == "duration" and (isinstance(value, str) or (number and 0 <= value < math.inf)):
        return quoting.literal(value) + ("" if number else "::interval")
    if kind == "integer" and number and float(value).is_integer():
        return str(int(value))
    if (kind == "boolean" and isinstance(value, bool)) or (
        kind == "string" and isinstance(value, str)
    ):
        return quoting.literal(value)
    strings = isinstance(value, (list, tuple)) and all(isinstance(item, str) for item in value)
    if kind in ("list", "any") or (kind == "strings" and strings):
        return quoting.literal(value)
    raise InputError(
        f"{owner}: parameter {parameter.name} is {value!r} ({type(value).__name__}); "
        f"it must be of type {kind}: {parameter.meaning}."
    )


def _family(owner: str, parameter: Parameter, name: str) -> str:
    """Check the name of a distribution: it becomes part of the names of functions."""
    families = sorted(
        entry.name.removesuffix("_random") for entry in catalog()
        if entry.field == "distributions" and entry.name.endswith("_random")
    )  # fmt: skip
    if name not in families:
        raise InputError(unknown(f"{owner}: {parameter.name}", name, families))
    return name


def unknown(what: str, name: str, accepted: list[str]) -> str:
    """Say that a name is unknown, which ones there are, and which is nearest."""
    if not accepted:
        return f"{what} {name!r} is not known; there is none."
    near = difflib.get_close_matches(name, accepted, n=1, cutoff=0.5)
    hint = f" Did you mean {near[0]!r}?" if near else ""
    return f"{what} {name!r} is not known; accepted are: {', '.join(accepted)}.{hint}"


def refusal(path: str, rendered: str, error: Exception) -> TemplateError:
    """Turn DuckDB's refusal of a rendered template into an error that shows where."""
    message = str(error)
    found = re.search(r"LINE (\d+):", message)
    number = int(found.group(1)) if found else 1
    lines = rendered.splitlines()
    excerpt = "\n".join(
        f"  {i:>4} | {lines[i - 1][:160]}"
        for i in range(max(1, number - 2), min(len(lines), number + 2) + 1)
    )
    return TemplateError(
        f"template {path}, line {number} of the rendered SQL: {message.splitlines()[0]}\n{excerpt}"
    )


def _line_of(texts: Mapping[str, str], name: str) -> str:
    """The first of some texts that asks for a name, and the line where it does."""
    for path, text in texts.items():
        for number, line in enumerate(text.splitlines(), start=1):
            if re.search(rf"\b{re.escape(name)}\b", line) and ("{{" in line or "{%" in line):
                return f"{path}, line {number}"
    return f"{next(iter(texts))}, line unknown"

"""Installing the library: tables and macros of schema ``ml``, as statements to run."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from graphlib import TopologicalSorter

from mlpond.sql.templates import quoting
from mlpond.sql.templates.catalog import Entry, Template, everything, names, read_text, templates
from mlpond.sql.templates.checks import checked
from mlpond.sql.templates.forms import MARK, Conditions, Forms
from mlpond.sql.templates.header import Parameter
from mlpond.sql.templates.lambdas import rename_parameters
from mlpond.sql.templates.renderer import render_text


def statements() -> Iterator[tuple[str, str]]:
    """Yield (path, SQL) of everything that the library installs, in order."""
    for path in names("library", ".sql"):
        yield path, read_text(path)
    yield "library/help_pages", help_pages()
    yield from _in_order_of_use(
        {
            template.path: _with_checks(
                rename_parameters(render_text(template.text, {}, template.path)), template
            )
            for template in templates()
            if template.header.functions
        }
    )
    # a query in text is bound when it is called, so the order of these does not matter
    for template in templates():
        if not template.header.functions:
            yield template.path, table_macro(template)


def help_pages() -> str:
    """Write the table that ``ml.help`` reads: what ``mlpond help`` tells, a row a fact.

    Opening a file does not read its tables, as it reads its macros.
    """
    pages = [
        [entry.name, position, *fact]
        for entry in everything()
        for position, fact in enumerate(_facts(entry), start=1)
    ]
    columns = ("function", "position", "part", "name", "type", "meaning")
    listed = ", ".join(
        f"{'page[2]::integer' if name == 'position' else f'page[{number}]'} as {name}"
        for number, name in enumerate(columns, start=1)
    )
    text = quoting.string(json.dumps(pages, ensure_ascii=False))
    return (
        f"create or replace table ml.help_pages as select {listed}\n"
        f"from (select unnest(from_json({text}, '[[\"VARCHAR\"]]')) as page)"
    )


def _facts(entry: Entry) -> Iterator[tuple[str, str | None, str | None, str | None]]:
    """Part, name, type and meaning of everything there is to say of a function."""
    yield "function", entry.called, entry.kind, " ".join(entry.summary.split())
    yield "call", None, None, entry.signature
    if entry.kind != "table":
        yield "result", None, entry.result, None
    for p in entry.parameters:
        default = f" (default {p.default})" if p.default is not None else ""
        yield "parameter", p.name, p.type, p.meaning + default
    for column in entry.columns:
        yield "column", column.name, column.type, column.meaning
    yield "example", None, None, entry.example
    yield "source", None, None, entry.source


def _in_order_of_use(rendered: dict[str, str]) -> Iterator[tuple[str, str]]:
    """Order templates so that a macro comes after those it calls: DuckDB binds it at once."""
    home = {
        name: path
        for path, sql in rendered.items()
        for name in re.findall(r"\bmacro ml\.(\w+)\(", sql)
    }
    uses = {
        path: {home[name] for name in re.findall(r"\bml\.(\w+)\(", sql) if name in home} - {path}
        for path, sql in rendered.items()
    }
    for path in TopologicalSorter(uses).static_order():
        yield path, rendered[path]


def table_macro(template: Template) -> str:
    """Write the macro that runs a template's query on arguments given in SQL."""
    parameters = template.header.parameters
    arguments = {p.name: _argument(p, template.name) for p in parameters}
    arguments |= {
        f"{p.name}.texts": f"ml.strings({p.name})" for p in parameters if p.type == "conditions"
    }
    body = rename_parameters(render_text(template.text, marks(template), template.path))
    listed = [(p.name, p.default) for p in parameters]
    written = query_macro(template.name, listed, body, arguments)
    return checked(written, template.name, listed, template)


def _with_checks(sql: str, template: Template) -> str:
    for function in template.header.functions:
        if function.result == "TABLE":
            sql = checked(sql, function.name, function.arguments, template)
    return sql


def marks(template: Template) -> dict[str, str]:
    """Return what stands in a body for each parameter of a template."""
    return {
        p.name: Conditions(mark(p.name), mark(f"{p.name}.texts"))
        if p.type == "conditions"
        else mark(p.name)
        for p in template.header.parameters
    }


def mark(name: str) -> str:
    """Return the mark that stands in a body where an argument goes."""
    return f"{MARK}{name}{MARK}"


def query_macro(
    name: str,
    parameters: list[tuple[str, str | None]],
    body: str,
    arguments: dict[str, str],
) -> str:
    """Write a table macro whose query is put together from its arguments.

    The body is cut at the marks and joined again in SQL with each argument quoted there. Pieces
    are concatenated, never replaced, so that no argument can hold text that a later replacement
    would touch; and a body inside ``query('…')`` is one constant, which opens quickly.

    Args:
        name: Name of the macro in schema ml.
        parameters: (name, default in SQL or None).
        body: The query, with marks.
        arguments: For each plain mark the SQL that gives the text to put there.
    """
    listed = ", ".join(p if default is None else f"{p} := {default}" for p, default in parameters)
    return (
        f"create or replace macro ml.{quoting.identifier(name)}({listed}) as table from query(\n"
        f"    {Forms(arguments).written(body.strip())}\n);\n"
    )


def _argument(parameter: Parameter, owner: str) -> str:
    """Write the SQL that quotes an argument by its type."""
    name = parameter.name
    if parameter.type == "relation":
        return f"ml.relation({name})"
    if parameter.type == "column":
        if parameter.default is not None:  # a column that may be left out
            return f"coalesce(ml.identifier({name}), 'NULL')"
        return f"ml.identifier({name})"
    if parameter.type == "columns":
        quoted = f"list_transform({name}::varchar[], lambda c: ml.identifier(c))"
        listed = f"list_aggregate({quoted}, 'string_agg', ', ')"
        if parameter.default is not None:
            return f"coalesce({listed}, 'NULL')"
        empty = quoting.string(f"ml.{owner}: {name} is empty; name at least one column")
        return f"coalesce({listed}, error({empty}))"
    if parameter.type == "duration":
        return f"ml.duration({name})"
    if parameter.type == "expression":
        return f"'(' || {name} || e'\\n)'"  # the line break ends a comment
    if parameter.type == "distribution":
        return f"ml.distribution_name({name})"
    if parameter.type in ("numbers", "strings"):
        return f"ml.{parameter.type}({name})"
    if parameter.type in ("condition", "conditions"):
        return f"ml.{parameter.type}({name}, event)"
    if parameter.type in ("string", "model"):
        return f"ml.literal({name})"
    if parameter.type == "double":
        return f"coalesce('''' || {name}::double || '''::double', 'NULL')"
    if parameter.type == "integer":
        return f"coalesce({name}::bigint::varchar, 'NULL')"
    return f"coalesce({name}::varchar, 'NULL')"

"""Installing the library: tables and macros of schema ``ml``, as statements to run."""

from __future__ import annotations

from collections.abc import Iterator

from mlpond.sql.templates import quoting
from mlpond.sql.templates.catalog import Template, names, read_text, templates
from mlpond.sql.templates.header import Parameter
from mlpond.sql.templates.renderer import render_text

# Marks where an argument goes in the body of a table macro; never part of SQL.
_MARK = "\x01"


def statements() -> Iterator[tuple[str, str]]:
    """Yield (path, SQL) of everything that the library installs, in order."""
    for path in names("library", ".sql"):
        yield path, read_text(path)
    for template in templates():
        if template.header.functions:
            yield template.path, render_text(template.text, {}, template.path)
        else:
            yield template.path, table_macro(template)


def table_macro(template: Template) -> str:
    """Write the macro that runs a template's query on arguments given in SQL.

    The body is rendered once with a mark at each argument, cut at the marks, and joined again in
    SQL with each argument quoted there. Pieces are concatenated, never replaced, so that no
    argument can hold text that a later replacement would touch.
    """
    marked = {p.name: f"{_MARK}{p.name}{_MARK}" for p in template.header.parameters}
    body = render_text(template.text, marked, template.path)
    known = {parameter.name: parameter for parameter in template.header.parameters}
    pieces = []
    for index, piece in enumerate(body.split(_MARK)):
        if index % 2:
            pieces.append(_argument(known[piece]))
        elif piece:
            pieces.append(quoting.string(piece))
    arguments = ", ".join(
        p.name if p.default is None else f"{p.name} := {p.default}"
        for p in template.header.parameters
    )
    joined = "\n    || ".join(pieces)
    return (
        f"create or replace macro ml.{template.name}({arguments}) as table from query(\n"
        f"    {joined}\n);\n"
    )


def _argument(parameter: Parameter) -> str:
    """Write the SQL that quotes an argument by its type."""
    name = parameter.name
    if parameter.type == "relation":
        return f"ml.relation({name})"
    if parameter.type == "column":
        return f"ml.identifier({name})"
    if parameter.type == "columns":
        return f"list_aggregate(list_transform({name}, lambda c: ml.identifier(c)), 'string_agg', ', ')"
    if parameter.type == "string":
        return f"ml.literal({name})"
    if parameter.type == "double":
        return f"coalesce('''' || {name}::double || '''::double', 'NULL')"
    if parameter.type == "integer":
        return f"coalesce({name}::bigint::varchar, 'NULL')"
    return f"coalesce({name}::varchar, 'NULL')"

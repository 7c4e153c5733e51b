"""What a table macro refuses before it makes the text of its query.

A NULL that is not meant would make the whole text NULL, which is a syntax error, or be read as the
word; a length of time below nothing would quietly give other rows, and 2.5 rows be 2. Every table
macro of the library begins with these checks, so that no template says them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from mlpond.errors import TemplateError
from mlpond.sql.templates import quoting
from mlpond.sql.templates.catalog import Template
from mlpond.sql.templates.header import Parameter

_WANTED = {
    "relation": "a table or (query)",
    "column": "the name of a column",
    "columns": "the names of columns",
    "model": "the name of a model",
}
_LONGEST = "17976931348623157e292"  # less than any NaN, and than infinity


def checked(
    sql: str, name: str, arguments: Iterable[tuple[str, str | None]], template: Template
) -> str:
    """Put the checks into a table macro.

    Args:
        sql: Statements with `create macro ml.<name>(…) as table from query(…)`.
        name: The macro.
        arguments: Its parameters, each with its default in SQL or None.
        template: Where it is from; the header knows the parameters.
    """
    known = {parameter.name: parameter for parameter in template.header.parameters}
    begun = re.search(rf'macro ml\."?{name}"?\(.*?from query\(', sql, re.DOTALL)
    if begun is None:
        raise TemplateError(f"template {template.path}: ml.{name} does not begin with from query(.")
    begin = begun.end()
    end = begin + _closing(sql[begin:])
    refused = "".join(
        f"\n    when {condition} then error({message})"
        for argument, default in arguments
        for condition, message in _refused(f"ml.{name}: ", known[argument], default)
    )
    null = quoting.string(f"ml.{name}: an argument is NULL; leave it out, for its default")
    text = f"coalesce({sql[begin:end].strip()}, error({null}))"
    # not put before the text by ||, which DuckDB folds to NULL without a look at the error
    written = f"case{refused}\n    else {text} end" if refused else text
    return sql[:begin] + written + sql[end:]


def _refused(owner: str, parameter: Parameter, default: str | None) -> Iterable[tuple[str, str]]:
    """Yield what is refused of an argument, and the message, both in SQL."""
    name, names = parameter.name, f"{parameter.name}::varchar[]"
    found = f"{quoting.string(f'{owner}{name} is ')} || coalesce({name}::varchar, 'NULL')"
    if default is None and not parameter.may_be_null:
        yield f"{name} is null", quoting.string(f"{owner}{name} is NULL; give {_wanted(parameter)}")
    elif parameter.type == "boolean" and default != "NULL":
        yield f"{name} is null", quoting.string(f"{owner}{name} is NULL; give true or false")
    if parameter.type in ("columns", "list", "conditions", "strings"):
        yield f"typeof({name}) = 'VARCHAR'", f"{found} || '; it must be a list, in brackets'"
    if parameter.type == "columns" or parameter.meaning.startswith("names of "):
        missing = quoting.string(f"{owner}{name} has a NULL in it; give {_wanted(parameter)}")
        yield f"list_count({names}) < len({names})", missing
    if ", each once" in parameter.meaning:
        lower = f"list_transform({names}, lambda own: lower(own))"
        again = f"list_filter({names}, lambda c, i: list_position({lower}, lower(c)) < i)[1]"
        twice = f"{quoting.string(f'{owner}{name} has ')} || {again} || ' twice"
        yield f"{again} is not null", f"{twice}; give each column once'"
    if parameter.type == "integer":
        yield f"{name}::double <> {name}::bigint", f"{found} || '; it must be a whole number'"
    if parameter.type == "duration":
        number = f"try_cast({name}::varchar as double)"
        length = f"epoch_us(try_cast({name}::varchar as interval))"
        is_length = (
            f"case when typeof({name}) in ('VARCHAR', 'INTERVAL') "
            f"then {number} is null and {length} >= 0 else {number} between 0 and {_LONGEST} end"
        )
        is_left_out = f"{name} is null or " if default == "NULL" else ""
        yield (
            f"not ({is_left_out}coalesce({is_length}, false))",
            f"{found} || '; it must be a number or an interval with a unit, and not negative'",
        )


def _wanted(parameter: Parameter) -> str:
    """Say in words what an argument should be."""
    return _WANTED.get(parameter.type) or re.split(r"[;.](?: |$)", parameter.meaning)[0]


def _closing(sql: str) -> int:
    """Return where the bracket is closed that was opened before a text."""
    depth = 0
    for token in re.finditer(r"'[^']*'|\"[^\"]*\"|[()]", sql):
        depth += {"(": 1, ")": -1}.get(token.group(), 0)
        if depth < 0:
            return token.start()
    raise ValueError(f"the bracket before {sql[:40]!r} is not closed")

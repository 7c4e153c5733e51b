"""The functions of a model with group_cols: each row goes to the model of its group."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from mlpond.engine import Engine
from mlpond.models.registry import NEED_DATA, Macro, Version
from mlpond.models.source import columns_of
from mlpond.sql.templates.installer import mark
from mlpond.sql.templates.quoting import identifier, string

# Texts of SQL that other functions put together to sums over all rows, which mean nothing here.
_INTERNAL = ("design", "residuals", "products")
# They may pass the rows on that they look at, with all columns.
_PASSING = (*NEED_DATA, "support_vectors", "scores")
_RELATIONS = ("data", "calibration")
_ROWS = "__mlpond_rows"


@dataclass(frozen=True)
class Group:
    """A group of rows.

    Attributes:
        number: From 1, in ascending order of the values.
        names: Of the columns.
        values: Of the columns, in SQL.
        texts: The same as DuckDB writes them, as they are stored.
        condition: The SQL predicate of its rows.
        said: The values, for messages.
        held_out: Whether rows of it were held out from training.
    """

    number: int
    names: tuple[str, ...]
    values: tuple[str, ...]
    texts: list[str | None]
    condition: str
    said: str
    held_out: bool = False


def grouped_macros(
    engine: Engine,
    version: Version,
    columns: list[tuple[str, str]],
    models: Sequence[tuple[Group, list[Macro]]],
    rows: str,
) -> list[Macro]:
    """Write the functions of a version from those of its groups.

    Args:
        engine: Tells which columns a function gives.
        version: The version.
        columns: (name, type) of group_cols.
        models: The groups that have a model, and its functions, which are installed.
        rows: Rows of the first group, as they can stand behind FROM.
    """
    known: dict[str, Macro] = {}
    for _, macros in models:
        for macro in macros:
            known.setdefault(macro.function, macro)
    written = [
        _joined(engine, version, macro, models, rows)
        for function, macro in known.items()
        if function not in _INTERNAL
    ]
    return [*written, _group_info(version, columns)]


def _joined(
    engine: Engine,
    version: Version,
    macro: Macro,
    models: Sequence[tuple[Group, list[Macro]]],
    rows: str,
) -> Macro:
    """Write one function: the rows that the groups' functions give, one below the other."""
    function = macro.function
    having = [group for group, own in models if any(m.function == function for m in own)]
    if function == "conformal":  # which looks at rows held out, or at those given to it
        having = [group for group in having if group.held_out] or having
    needs_data = function in NEED_DATA
    names = having[0].names
    passes = False  # whether the columns of the data, and so those of the group, are passed on
    if function in _PASSING:
        # conformal passes on what predict does, and will not run where no rows were held out
        probed = "predict" if function == "conformal" else function
        argument = f"({string(rows)})" if macro.parameters else "()"
        first = _call(version, probed, having[0], argument)
        given = {name.lower() for name, _ in columns_of(engine, first)}
        passes = all(name.lower() in given for name in names)
    arguments, passed = _arguments(macro)
    branches = []
    for group in having:
        of_group = dict(passed)
        for name in _RELATIONS:
            if name in of_group:
                key = f"{name}_{group.number}"
                arguments[key] = _of_group(name, group, needed=needs_data and name == "data")
                of_group[name] = mark(key)
        listed = ", ".join(f"{name} := {value}" for name, value in of_group.items())
        values = "" if passes else "".join(
            f"{value} as {identifier(name)}, "
            for name, value in zip(names, group.values, strict=True)
        )  # fmt: skip
        branches.append(f"select {values}* {_call(version, function, group, f'({listed})')}")
    if needs_data:
        keys = [f"k{i}" for i in range(len(names))]
        same = " and ".join(
            f"__group.{key} is not distinct from __row.{identifier(name)}"
            for key, name in zip(keys, names, strict=True)
        )
        known = ", ".join(f"({', '.join(group.values)})" for group in having)
        # columns of TRANSFORM bear names of the data, but not their values
        whole = passes and function != "transform"
        kept = "*" if whole else ", ".join(identifier(name) for name in names)
        branches.append(
            f"select {kept} from {_ROWS} as __row where not exists (select 1 from "
            f"(values {known}) as __group({', '.join(keys)}) where {same})"
        )
    body = mark("with") + "\nunion all by name\n".join(branches)
    return Macro(function, macro.parameters, body, arguments)


def _call(version: Version, function: str, group: Group, arguments: str) -> str:
    return f"from ml.{identifier(f'{function}_{version.full_name}@{group.number}')}{arguments}"


def _arguments(macro: Macro) -> tuple[dict[str, str], dict[str, str]]:
    """Write how arguments are quoted, and how they are passed on to the functions of groups."""
    arguments = {"with": "''"}
    passed = {}
    for name, _ in macro.parameters:
        passed[name] = mark(name)
        # as text, which the function casts to what it needs
        arguments[name] = (
            f"coalesce('''' || replace({name}::varchar, '''', '''''') || '''', 'NULL')"
        )
    steps = [
        f"case when {name} is null then '' else ', {_ROWS}{'' if name == 'data' else '_' + name} "
        f"as materialized (select * from ' || ml.relation({name}) || ')' end"
        for name, _ in macro.parameters
        if name in _RELATIONS
    ]
    if steps:
        joined = " || ".join(steps)
        arguments["with"] = f"'with __mlpond_first as (select 1)' || {joined} || ' '"
    return arguments, passed


def _of_group(name: str, group: Group, *, needed: bool) -> str:
    """Write the SQL of the literal that names the rows of a group."""
    rows = _ROWS if name == "data" else f"{_ROWS}_{name}"
    text = string(string(f"(select * from {rows} where {group.condition})"))
    return text if needed else f"case when {name} is null then 'NULL' else {text} end"


def _group_info(version: Version, columns: list[tuple[str, str]]) -> Macro:
    values = ", ".join(
        f"group_values[{i + 1}]::{kind} as {identifier(name)}"
        for i, (name, kind) in enumerate(columns)
    )
    body = (
        f"select group_id, {values}, training_rows, evaluation_rows, loss, seconds, status, "
        f"error_message, warnings from ml.groups where model = {string(version.name)} and "
        f"version = {version.version} order by group_id"
    )
    return Macro("group_info", (), body, {})

"""EXPORT MODEL: a folder that works without mlpond: the model as JSON and its scoring as SQL."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlparse

from mlpond.engine import Engine
from mlpond.errors import InputError
from mlpond.models import registry
from mlpond.sql import catalog
from mlpond.sql.templates.quoting import identifier
from mlpond.sql.templates.renderer import unknown

OF_A_MODEL = {"threshold": "5e-1"}  # defaults of its own functions


def export_model(engine: Engine, name: str, options: dict[str, Any]) -> Path:
    """Write a version of a model into a folder: ``model.json``, and its functions as SQL.

    ``predict.sql`` and, of a model with TRANSFORM, ``transform.sql`` make the schema ``ml`` and the
    function of the model in any DuckDB file; they need nothing of mlpond's.

    Raises:
        InputError: the option URI is missing or no local folder.
        ModelError: there is no such model.
    """
    for option in options:
        if option not in ("uri", "trial_id"):
            raise InputError(unknown(f"EXPORT MODEL {name}: option", option, ["uri"]))
    uri = options.get("uri")
    if not isinstance(uri, str) or not uri:
        raise InputError(
            f"EXPORT MODEL {name}: option URI is missing; give a folder, URI = 'models/{name}'."
        )
    parsed = urlparse(uri)
    if parsed.scheme not in ("", "file"):
        raise InputError(
            f"EXPORT MODEL {name}: URI {uri!r} is not local; give a folder of this machine."
        )
    folder = Path(unquote(parsed.path) if parsed.scheme else uri)
    version = registry.find(engine, name)
    key = [version.name, version.version]
    described: dict[str, Any] = {}
    for table in registry.TABLES:
        column = "name" if table == "models" else "model"
        rows = engine.rows(
            f"select to_json(t)::varchar from ml.{table} as t where {column} = ? and version = ?",
            key,
        )
        described[table] = [json.loads(row[0]) for row in rows]
        if table != "models":  # those of the models of groups
            rows = engine.rows(
                f"select to_json(t)::varchar from ml.{table} as t where model = ?",
                [version.full_name],
            )
            described[table] += [json.loads(row[0]) for row in rows]
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "model.json").write_text(json.dumps(described, indent=2) + "\n", encoding="utf-8")
    for function, does in (("predict", "Scores rows with"), ("transform", "Transforms rows with")):
        text = _script(engine, version, function, does)
        if text is not None:
            (folder / f"{function}.sql").write_text(text, encoding="utf-8")
    return folder


def _script(engine: Engine, version: registry.Version, function: str, does: str) -> str | None:
    """Write the statements that make a function of a model in any file; None if it has none."""
    known = {
        row[0]: row[1:]
        for row in engine.rows(
            "select function_name, parameters, macro_definition, function_type "
            "from duckdb_functions() where database_name = current_database() "
            "and schema_name = 'ml' and macro_definition is not null"
        )
    }
    name = f"{function}_{version.full_name}"
    if name not in known:
        return None
    groups = sorted(other for other in known if other.startswith(f"{name}@"))
    wanted = _helpers({other: row[1] for other, row in known.items()}, [name, *groups])
    helpers = [_create(other, _defaults(other), *known[other]) for other in wanted]
    helpers += [_create(other, OF_A_MODEL, *known[other]) for other in groups]
    return "\n".join(
        [
            f"-- {does} {version.full_name}: FROM ml.{function}('table').",
            "create schema if not exists ml;",
            *helpers,
            _create(function, OF_A_MODEL, *known[name]),
            "",
        ]
    )


def _helpers(bodies: dict[str, str], names: list[str]) -> list[str]:
    """The functions of the library that others call, those first that the next ones call."""
    found: dict[str, None] = {}

    def visit(name: str) -> None:
        for called in re.findall(r"\bml\.\"?(\w+)\"?\(", bodies[name]):
            if called in bodies and called not in found and called not in names:
                visit(called)
                found[called] = None

    for name in names:
        visit(name)
    return list(found)


def _create(
    name: str, defaults: Mapping[str, str | None], parameters: list[str], body: str, kind: str
) -> str:
    table = "table " if kind == "table_macro" else ""
    declared = ", ".join(
        p if defaults.get(p) is None else f"{p} := {defaults[p]}" for p in parameters
    )
    return f"create or replace macro ml.{identifier(name)}({declared}) as {table}{body};"


def _defaults(helper: str) -> dict[str, str | None]:
    """The defaults of a function of the library, which DuckDB does not tell of a macro."""
    found = [entry.parameters for entry in catalog() if entry.name == helper]
    return {parameter.name: parameter.default for each in found for parameter in each}

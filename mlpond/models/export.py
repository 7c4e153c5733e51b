"""EXPORT MODEL: a folder that works without mlpond: the model as JSON and its scoring as SQL."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlparse

from mlpond.engine import Engine
from mlpond.errors import InputError
from mlpond.models import registry
from mlpond.sql.templates.quoting import identifier
from mlpond.sql.templates.renderer import unknown


def export_model(engine: Engine, name: str, options: dict[str, Any]) -> Path:
    """Write a version of a model into a folder: ``model.json`` and ``predict.sql``.

    ``predict.sql`` makes the schema ``ml`` and the functions of the model in any DuckDB file; it
    needs nothing of mlpond's.

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
    macro = engine.value(
        "select macro_definition from duckdb_functions() "
        "where schema_name = 'ml' and function_name = ?",
        [f"predict_{version.full_name}"],
    )
    parameters = engine.value(
        "select parameters from duckdb_functions() where schema_name = 'ml' and function_name = ?",
        [f"predict_{version.full_name}"],
    )
    declared = _declared(parameters)
    helpers = [
        f"create or replace macro ml.{row[0]}({', '.join(row[1])}) as {row[2]};"
        for row in engine.rows(
            "select function_name, parameters, macro_definition from duckdb_functions() "
            "where schema_name = 'ml' and function_name in ('identifier', 'relation') "
            "order by function_name"
        )
    ]
    helpers += [
        f"create or replace macro ml.{identifier(row[0])}({_declared(row[1])}) as table {row[2]};"
        for row in engine.rows(
            "select function_name, parameters, macro_definition from duckdb_functions() "
            "where schema_name = 'ml' and starts_with(function_name, ?) order by function_name",
            [f"predict_{version.full_name}@"],  # the models of groups
        )
    ]
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "model.json").write_text(json.dumps(described, indent=2) + "\n", encoding="utf-8")
    text = "\n".join(
        [
            f"-- Scores rows with {version.full_name}: FROM ml.predict('table').",
            "create schema if not exists ml;",
            *helpers,
            f"create or replace macro ml.predict({declared}) as table {macro};",
        ]
    )
    (folder / "predict.sql").write_text(text + "\n", encoding="utf-8")
    return folder


def _declared(parameters: list[str]) -> str:
    return ", ".join("threshold := 5e-1" if p == "threshold" else p for p in parameters)

"""What DuckDB finds missing in a call of a model's function, said in the terms of the model."""

from __future__ import annotations

import re

from mlpond.engine import Engine
from mlpond.errors import ModelError
from mlpond.models.registry import FUNCTIONS, find, versions

_LACKING = re.compile(r'column "(.+?)" not found|does not have a column named "(.+?)"')
_CALL = re.compile(r"\bml\.(\w+)\(\s*'((?:[^']|'')+)'", re.IGNORECASE)


def explain_missing(engine: Engine, message: str) -> None:
    """Say which models there are, if a message of DuckDB's is about a function of a model.

    Raises:
        ModelError: there is no such model, or it has no such function.
    """
    for function in FUNCTIONS:
        found = re.search(
            rf"Table Function with name \"?{function}_(.*?)\"? does not exist", message
        )
        if found is None or engine.in_transaction():  # the error has ended the transaction
            continue
        version = find(engine, found.group(1))
        raise ModelError(
            f"ml.{function}: model {version.full_name} has no such function; "
            "FROM ml.models tells its type."
        )


def explain_column(engine: Engine, query: str, message: str) -> None:
    """Say which model asks for a column, if a message of DuckDB's is that rows lack it.

    Raises:
        ModelError: the column is an input of a model that the query calls.
    """
    found = _LACKING.search(message)
    if found is None or engine.in_transaction():  # the error has ended the transaction
        return
    column = found.group(1) or found.group(2)
    for function, quoted in _CALL.findall(query):
        name = quoted.replace("''", "'")
        if not versions(engine, name.partition("@")[0]):
            continue
        version = find(engine, name)
        (inputs,) = engine.row(
            "select features from ml.models where name = ? and version = ?",
            [version.name, version.version],
        )
        if column in inputs:
            raise ModelError(
                f"ml.{function}: the rows have no column {column}, which model "
                f"{version.full_name} reads; its inputs are {', '.join(inputs)}. Add it to the "
                "rows, as NULL where it is not known."
            )

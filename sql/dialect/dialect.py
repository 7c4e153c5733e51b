"""The sqlglot dialect ``mlpond``: DuckDB, in which model statements parse to nodes of their own.

    sqlglot.parse_one("CREATE MODEL m OPTIONS (model_type = 'linear_reg') AS SELECT 1 AS label",
                      dialect="mlpond")

ML calls are rewritten to ``ml.<function>('model', …)`` before DuckDB's parser sees them.
"""

from __future__ import annotations

from typing import Any

import sqlglot
from sqlglot import exp
from sqlglot.dialects.duckdb import DuckDB
from sqlglot.generators.duckdb import DuckDBGenerator

from mlpond.sql.dialect.statements import (
    CreateModel,
    DropModel,
    ExportModel,
    Plain,
    Statement,
    read_statements,
)


class ModelStatement(exp.Expression):
    """A model statement; ``statement`` is what was read, ``expression`` its query's tree."""

    arg_types = {"this": True, "expression": False, "statement": True}  # noqa: RUF012

    @property
    def statement(self) -> Statement:
        """The statement as the reader understood it."""
        found: Statement = self.args["statement"]
        return found


class Mlpond(DuckDB):
    """DuckDB's dialect with model statements."""

    class Generator(DuckDBGenerator):
        """Writes a model statement as it was written, everything else as DuckDB does."""

        TRANSFORMS = {  # noqa: RUF012
            **DuckDBGenerator.TRANSFORMS,
            ModelStatement: lambda self, node: _write(node),
        }

    def parse(self, sql: str, **opts: Any) -> list[exp.Expression | None]:  # type: ignore[override]
        """Parse a text of statements."""
        return [_tree(statement, opts) for statement in read_statements(sql)]


def _tree(statement: Statement, opts: dict[str, Any]) -> exp.Expression | None:
    if isinstance(statement, Plain):
        return _parse(statement.text, opts)
    query = statement.query if isinstance(statement, CreateModel) else None
    return ModelStatement(
        this=exp.to_identifier(statement.name),
        expression=_parse(query, opts) if query else None,
        statement=statement,
    )


def _parse(text: str, opts: dict[str, Any]) -> exp.Expression | None:
    duckdb = DuckDB()
    trees: list[Any] = list(duckdb.parser(**opts).parse(duckdb.tokenize(text), text))
    return trees[0] if trees else None


def _write(node: ModelStatement) -> str:
    statement = node.statement
    if isinstance(statement, CreateModel | Plain):
        return statement.text
    name = exp.to_identifier(statement.name).sql("duckdb")
    if isinstance(statement, DropModel):
        return f"DROP MODEL {'IF EXISTS ' if statement.if_exists else ''}{name}"
    options = ", ".join(
        f"{key} = {exp.convert(value).sql('duckdb')}" for key, value in statement.options.items()
    )
    if isinstance(statement, ExportModel):
        return f"EXPORT MODEL {name} OPTIONS ({options})"
    exists = "IF EXISTS " if statement.if_exists else ""
    return f"ALTER MODEL {exists}{name} SET OPTIONS ({options})"


def parse(sql: str) -> list[exp.Expression | None]:
    """Parse a text of statements in the dialect."""
    trees: list[Any] = list(sqlglot.parse(sql, dialect=Mlpond))
    return trees

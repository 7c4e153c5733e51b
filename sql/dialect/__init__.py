"""DuckDB's SQL plus BigQuery ML's model statements."""

from __future__ import annotations

from mlpond.sql.dialect.statements import (
    AlterModel,
    CreateModel,
    DropModel,
    ExportModel,
    Plain,
    Statement,
    mentions_models,
    read_statements,
)

__all__ = [
    "AlterModel",
    "CreateModel",
    "DropModel",
    "ExportModel",
    "Plain",
    "Statement",
    "mentions_models",
    "read_statements",
]

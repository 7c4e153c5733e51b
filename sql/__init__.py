"""SQL templates, the renderer that validates them, and the SQL dialect with model statements."""

from __future__ import annotations

from mlpond.sql.templates.catalog import Column, Entry, Parameter, catalog, everything

__all__ = ["Column", "Entry", "Parameter", "catalog", "everything"]

"""What the runner needs of a session; it imports none."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from typing import Any, Protocol

import duckdb

Progress = Callable[[str, float | None], None]


class References(Protocol):
    """What a statement reads and makes; names are unquoted parts joined by dots."""

    @property
    def kind(self) -> str:
        """One of query, create_model and other."""

    @property
    def reads(self) -> tuple[str, ...]:
        """Relations read, without the names of CTEs."""

    @property
    def models_read(self) -> tuple[str, ...]:
        """Models read."""

    @property
    def model_created(self) -> str | None:
        """The model that the statement trains."""


class Pond(Protocol):
    """The part of mlpond.Session that pipelines use."""

    on_progress: Progress | None

    @property
    def con(self) -> duckdb.DuckDBPyConnection:
        """The DuckDB connection."""

    @property
    def database(self) -> str:
        """Path of the database file, or :memory:."""

    def sql(self, query: str, params: Any = None) -> Any:
        """Run DuckDB SQL and model statements."""

    def render(
        self, text: str, values: Mapping[str, Any], fragments: Mapping[str, str] | None = None
    ) -> str:
        """Fill {{ name }} with values quoted as SQL; the text may import the fragments."""

    def references(self, statement: str) -> References:
        """What the statement reads and makes."""

    def transaction(self) -> AbstractContextManager[Any]:
        """BEGIN, then COMMIT or ROLLBACK; joins an open transaction."""

    def report(self, message: str, fraction: float | None = None) -> None:
        """Tell on_progress how far a long piece of work is."""

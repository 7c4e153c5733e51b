"""Completion in the shell: keywords, tables and columns of the database, functions, models."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from prompt_toolkit.completion import CompleteEvent, Completer, Completion
from prompt_toolkit.document import Document

if TYPE_CHECKING:
    from mlpond.session import Session

_WORD = re.compile(r"[\w.]+$")
_MODEL_KEYWORDS = ("MODEL", "TRANSFORM", "OPTIONS")
_QUERY = """
    select upper(keyword_name), 'keyword' from duckdb_keywords()
    union all
    select
        if(schema_name = 'main', table_name, schema_name || '.' || table_name), 'table'
    from (
        select schema_name, table_name from duckdb_tables() where not internal
        union all
        select schema_name, view_name from duckdb_views() where not internal
    )
    union all
    select distinct column_name, 'column' from duckdb_columns() where not internal
    union all
    select distinct function_name || '(', 'function'
    from duckdb_functions()
    where
        schema_name <> 'ml'
        and regexp_matches(function_name, '^[a-z][a-z0-9_]*$')
        and not starts_with(function_name, 'ml_')
    union all
    select name, 'model' from ml.models
"""
_KINDS = ("mlpond", "model", "table", "column", "keyword", "function")


class SqlCompleter(Completer):
    """Offers what the word before the cursor may become; asks the database once a statement."""

    def __init__(self, pond: Session, commands: Iterable[str]) -> None:
        self._pond = pond
        self._commands = sorted(commands)
        self._words: list[tuple[str, str]] | None = None

    def forget(self) -> None:
        """A statement has run: tables and models may have changed."""
        self._words = None

    def get_completions(
        self, document: Document, complete_event: CompleteEvent
    ) -> Iterator[Completion]:
        """Yield the completions of the word before the cursor, functions of mlpond first."""
        before = document.text_before_cursor
        if before.startswith("."):
            if " " not in before:
                for command in self._commands:
                    if command.startswith(before):
                        yield Completion(command, start_position=-len(before))
            return
        match = _WORD.search(before)
        if match is None:
            return
        typed = match[0]
        for text, kind in self._all_words():
            if text.lower().startswith(typed.lower()):
                shown = text.lower() if kind == "keyword" and typed.islower() else text
                yield Completion(shown, start_position=-len(typed), display_meta=kind)

    def _all_words(self) -> list[tuple[str, str]]:
        if self._words is None:
            from mlpond.sql import everything

            found = set(self._pond.con.execute(_QUERY).fetchall())
            found |= {(word, "keyword") for word in _MODEL_KEYWORDS}
            found |= {(f"{entry.called}(", "mlpond") for entry in everything()}
            self._words = sorted(found, key=lambda entry: (_KINDS.index(entry[1]), entry[0]))
        return self._words

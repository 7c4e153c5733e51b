"""BigQuery's ``STRUCT(a, b AS c)``, which DuckDB writes as ``{'a': a, 'c': b}``."""

from __future__ import annotations

from sqlglot.tokenizer_core import Token, TokenType

from mlpond.sql.dialect.tokens import Cursor, tokenize
from mlpond.sql.templates.quoting import string


def struct_fields(text: str) -> list[tuple[str, str]] | None:
    """Read ``STRUCT(a, b AS c)``: the name and the SQL of each field; None if it is none.

    Raises:
        StatementError: a field has no name.
    """
    cursor = Cursor(text, tokenize(text))
    if not cursor.accept("STRUCT") or not cursor.is_type(TokenType.L_PAREN):
        return None
    fields = cursor.inside().arguments()
    return [_field(field) for field in fields] if cursor.done else None


def struct_literal(fields: list[tuple[str, str]]) -> str:
    """Write a STRUCT as DuckDB does: ``{'a': a, 'c': b}``."""
    return "{" + ", ".join(f"{string(name)}: {sql}" for name, sql in fields) + "}"


def _field(field: Cursor) -> tuple[str, str]:
    """Read a field of a STRUCT: its name is its alias, or the name of the column."""
    tokens = field.tokens
    if not tokens:
        field.fail("expected `value AS name` in the STRUCT")
    value, last = tokens, tokens[-1]
    if len(tokens) > 2 and field.word(len(tokens) - 2) == "AS":
        value = tokens[:-2]
    elif not is_column(tokens):
        field.fail("expected `value AS name` in the STRUCT")
    return last.text.replace('""', '"'), field.sql[value[0].start : value[-1].end + 1]


def is_column(tokens: list[Token]) -> bool:
    """Tell whether tokens are the name of a column, such as ``x`` or ``s.a``."""
    return all(
        (token.token_type is TokenType.DOT) == bool(i % 2)
        and (i % 2 == 1 or token.token_type in (TokenType.VAR, TokenType.IDENTIFIER))
        for i, token in enumerate(tokens)
    )

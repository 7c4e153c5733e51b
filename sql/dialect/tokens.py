"""A cursor over the tokens of a SQL text, which remembers where each token stands.

Statements are cut and rewritten by position, so that everything that is not ours reaches DuckDB
byte for byte as it was written.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NoReturn, TypeVar

from sqlglot.dialects.duckdb import DuckDB
from sqlglot.errors import SqlglotError
from sqlglot.tokenizer_core import Token, TokenType

from mlpond.errors import StatementError

T = TypeVar("T")

OPENING = {TokenType.L_PAREN: TokenType.R_PAREN, TokenType.L_BRACKET: TokenType.R_BRACKET,
           TokenType.L_BRACE: TokenType.R_BRACE}  # fmt: skip
STRINGS = (TokenType.STRING, TokenType.HEREDOC_STRING, TokenType.RAW_STRING)


class _Tokenizer(DuckDB.Tokenizer):
    """DuckDB's tokens, and names in backticks as BigQuery writes them."""

    IDENTIFIERS = ['"', "`"]  # noqa: RUF012 (sqlglot's own convention)
    # what follows is tokens too, not one text
    KEYWORDS = {**DuckDB.Tokenizer.KEYWORDS, "EXPLAIN": TokenType.DESCRIBE}  # noqa: RUF012


def tokenize(sql: str) -> list[Token]:
    """Cut SQL text into tokens.

    Raises:
        StatementError: a quote or a comment is not closed.
    """
    try:
        return list(_Tokenizer(dialect="duckdb").tokenize(sql))
    except SqlglotError as error:
        raise StatementError(f"cannot read the SQL text: {error}") from error


class Cursor:
    """Reads tokens one by one; every complaint names the place in the text."""

    def __init__(self, sql: str, tokens: list[Token]) -> None:
        self.sql = sql
        self.tokens = tokens
        self.index = 0

    @property
    def done(self) -> bool:
        """Tell whether every token has been read."""
        return self.index >= len(self.tokens)

    @property
    def token(self) -> Token | None:
        """The token that comes next, or None at the end."""
        return None if self.done else self.tokens[self.index]

    def word(self, offset: int = 0) -> str:
        """Return the unquoted word some tokens ahead in upper case, or an empty text."""
        index = self.index + offset
        if index >= len(self.tokens):
            return ""
        token = self.tokens[index]
        if token.token_type in (TokenType.IDENTIFIER, *STRINGS):
            return ""
        return token.text.upper()

    def is_type(self, *kinds: TokenType) -> bool:
        """Tell whether the next token is of one of these types."""
        return self.token is not None and self.token.token_type in kinds

    def accept(self, *words: str) -> bool:
        """Read these words if they come next."""
        if all(self.word(offset) == word for offset, word in enumerate(words)):
            self.index += len(words)
            return True
        return False

    def expect(self, *words: str) -> None:
        """Read these words, or complain."""
        if not self.accept(*words):
            self.fail(f"expected {' '.join(words)}")

    def fail(self, what: str) -> NoReturn:
        """Raise a StatementError that shows the line and what was found there."""
        if not self.tokens:
            raise StatementError(f"model statement: {what}, found nothing.")
        token = self.token or self.tokens[-1]
        line = self.sql.count("\n", 0, token.start) + 1
        start = self.sql.rfind("\n", 0, token.start) + 1
        stop = self.sql.find("\n", token.start)
        excerpt = self.sql[start : stop if stop >= 0 else None]
        text = self.sql[token.start : token.end + 1]
        found = f"but nothing follows {text!r}" if self.done else f"found {text!r}"
        pointer = " " * (token.start - start) + "^"
        raise StatementError(
            f"model statement, line {line}: {what}, {found}.\n  {excerpt}\n  {pointer}"
        )

    def name(self, what: str = "a name") -> str:
        """Read a name of one or more dotted parts; a version may follow as ``@2``."""
        parts = [self._name_part(what)]
        while self.is_type(TokenType.DOT):
            self.index += 1
            parts.append(self._name_part(what))
        name = ".".join(parts)
        if self.is_type(TokenType.PARAMETER) and self.token is not None and self.token.text == "@":
            self.index += 1
            name += "@" + self._name_part("a version or an alias")
        return name

    def _name_part(self, what: str) -> str:
        token = self.token
        if token is None or token.token_type in STRINGS or token.token_type in OPENING:
            self.fail(f"expected {what}")
        if token.token_type is not TokenType.IDENTIFIER and not (
            token.text[:1].isalnum() or token.text[:1] == "_"
        ):
            self.fail(f"expected {what}")
        self.index += 1
        # a number such as 2 is a version; a quoted name is already without its quotes
        return (
            token.text.replace('""', '"')
            if token.token_type is TokenType.IDENTIFIER
            else token.text
        )

    def span(self) -> tuple[int, int]:
        """Read a bracketed group; return the positions of its inside."""
        token = self.token
        if token is None or token.token_type not in OPENING:
            self.fail("expected (")
        start = token.end + 1
        depth = 0
        while (token := self.token) is not None:
            self.index += 1
            if token.token_type in OPENING:
                depth += 1
            elif token.token_type in OPENING.values():
                depth -= 1
                if depth == 0:
                    return start, token.start
        raise StatementError("model statement: a bracket is opened and not closed.")

    def inside(self) -> Cursor:
        """Read a bracketed group; return a cursor over the tokens in it."""
        first = self.index + 1
        self.span()
        return Cursor(self.sql, self.tokens[first : self.index - 1])

    def arguments(self) -> list[Cursor]:
        """Split the remaining tokens at commas outside brackets."""
        groups: list[list[Token]] = [[]]
        depth = 0
        for token in self.tokens[self.index :]:
            if token.token_type in OPENING:
                depth += 1
            elif token.token_type in OPENING.values():
                depth -= 1
            if token.token_type is TokenType.COMMA and depth == 0:
                groups.append([])
            else:
                groups[-1].append(token)
        self.index = len(self.tokens)
        if groups == [[]]:
            return []
        return [Cursor(self.sql, group) for group in groups]

    def text(self) -> str:
        """Return the text from the next token to the last one, as written."""
        if self.done:
            return ""
        return self.sql[self.tokens[self.index].start : self.tokens[-1].end + 1]

    def separated(self, read: Callable[[Cursor], T]) -> list[T]:
        """Apply a reader to each comma-separated argument, which it must read whole."""
        values = []
        for argument in self.arguments():
            values.append(read(argument))
            if not argument.done:
                argument.fail("expected a comma or the closing bracket")
        return values

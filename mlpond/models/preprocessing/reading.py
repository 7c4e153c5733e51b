"""Reading ``ML.<FUNCTION>(…) [OVER (…)]`` in an item, and writing SQL in its place."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sqlglot.tokenizer_core import TokenType

from mlpond.errors import StatementError
from mlpond.models.preprocessing.function import (
    BEHIND,
    SERIES,
    Call,
    Function,
    Learnt,
    Series,
)
from mlpond.sql.dialect.structs import is_column, struct_fields, struct_literal
from mlpond.sql.dialect.tokens import Cursor, tokenize
from mlpond.sql.dialect.values import read_value
from mlpond.sql.templates.renderer import unknown

Describe = Callable[[list[str]], list[Any]]  # expressions → their DuckDB types
Fields = list[tuple[str, str]]  # names and SQL of the fields of a STRUCT
Written = Callable[[Call, Learnt], str]


@dataclass(frozen=True)
class Placed:
    """A call inside a text, by its place."""

    function: Function
    call: Call
    text: str  # of its arguments, as written
    start: int
    stop: int


@dataclass(frozen=True)
class Reader:
    """Reads calls; knows the functions, and the columns that expressions may speak of.

    Attributes:
        who: The beginning of messages.
        functions: By name.
        columns: Of the training query, quoted.
        describe: Tells the types of expressions.
    """

    who: str
    functions: dict[str, Function]
    columns: tuple[str, ...]
    describe: Describe

    def calls(self, text: str) -> list[Placed]:
        """Find the calls in a text; those inside the arguments of others are written out."""
        cursor = Cursor(text, tokenize(text))
        found = []
        while not cursor.done:
            tokens = cursor.tokens[cursor.index + 1 : cursor.index + 2]
            if cursor.word() == "ML" and tokens and tokens[0].token_type is TokenType.DOT:
                found.append(self.call(cursor))
            else:
                cursor.index += 1
        return found

    def call(self, cursor: Cursor) -> Placed:
        """Read the call that comes next."""
        assert cursor.token is not None
        start = cursor.token.start
        cursor.index += 2
        name = cursor.word()
        if name not in self.functions:
            raise StatementError(unknown(f"{self.who}: function ML", name, sorted(self.functions)))
        cursor.index += 1
        function = self.functions[name]
        inside = cursor.inside()
        text, parts = inside.text(), inside.arguments()
        series = self._over(function, cursor)
        stop = cursor.tokens[cursor.index - 1].end + 1
        most = len(function.arguments) + len(function.settings)
        if not function.needed <= len(parts) <= most:
            raise StatementError(
                f"{self.who}: ML.{name} has {len(parts)} arguments; it takes {function.usage}."
            )
        width = len(function.arguments)
        written = [self._argument(function, part) for part in parts[:width]]
        written += [("NULL", None)] * (width - len(written))
        arguments = [sql for sql, _ in written]
        settings = function.checked(self.who, tuple(map(_setting, parts[width:])))
        call = Call(
            name, tuple(arguments), tuple(self.describe(arguments)), settings, series,
            self.columns, self.who, tuple(fields for _, fields in written),
        )  # fmt: skip
        function.check_call(call)
        return Placed(function, call, text, start, stop)

    def _over(self, function: Function, cursor: Cursor) -> Series | None:
        name = function.name
        if function.over == "none":
            if cursor.word() == "OVER":
                raise StatementError(
                    f"{self.who}: ML.{name}(…) needs its own row alone; leave OVER (…) out."
                )
            return None
        is_series = function.over == "series"
        if not cursor.accept("OVER"):
            raise StatementError(
                f"{self.who}: ML.{name}(…) looks at other rows; write {SERIES} behind it."
                if is_series
                else f"{self.who}: ML.{name}(…) learns from all rows; write OVER () behind it."
            )
        if not cursor.is_type(TokenType.L_PAREN):
            raise StatementError(
                f"{self.who}: ML.{name}(…) OVER {cursor.word()}: a named window is not accepted; "
                f"write {BEHIND[function.over]}."
            )
        inside = cursor.inside()
        if is_series:
            return self._series(name, inside)
        if not inside.done:
            raise StatementError(
                f"{self.who}: ML.{name}(…) OVER ({inside.text()}): only OVER () is accepted."
            )
        return None

    def _series(self, name: str, inside: Cursor) -> Series:
        """Read ``[PARTITION BY a, b] ORDER BY time``."""
        kinds = [token.token_type for token in inside.tokens]
        is_parted = kinds[:1] == [TokenType.PARTITION_BY]
        at = kinds.index(TokenType.ORDER_BY) if TokenType.ORDER_BY in kinds else len(kinds)
        keys = Cursor(inside.sql, inside.tokens[is_parted:at]).arguments()
        times = Cursor(inside.sql, inside.tokens[at + 1 :]).arguments()
        named = all(part.tokens and is_column(part.tokens) for part in (*keys, *times))
        if not named or len(times) != 1 or is_parted != bool(keys):
            raise StatementError(
                f"{self.who}: ML.{name}(…) OVER ({inside.text()}): its window is that of a series; "
                f"write {SERIES} with names of columns."
            )
        time = times[0].text()
        return Series(tuple(key.text() for key in keys), time, self.describe([time])[0])

    def _argument(self, function: Function, part: Cursor) -> tuple[str, Fields | None]:
        """Give the SQL of an argument, and its fields if it is written as a STRUCT."""
        text = part.text()
        inside = Cursor(text, tokenize(text))
        for at in range(len(inside.tokens)):
            inside.index = at
            named = self.functions.get(inside.word(2)) if inside.word() == "ML" else None
            if named and inside.word(1) == "." and named.over != "none":
                raise StatementError(
                    f"{self.who}: ML.{function.name}({text}): one ML function inside another is "
                    "not accepted."
                )
        inner = self.calls(text)
        written = substitute(text, [(placed, Learnt()) for placed in inner])
        fields = struct_fields(written)
        if fields is not None:
            return struct_literal(fields), fields
        return (written if is_column(part.tokens) else f"({written})"), None


def _setting(part: Cursor) -> Any:
    """Read a constant; ``CAST('+INF' AS FLOAT64)``, as BigQuery has it, is what stands in it."""
    if part.word() == "CAST" and part.word(1) == "(":
        part.index += 1
        return read_value(part.inside())
    return read_value(part)


def substitute(text: str, calls: list[tuple[Placed, Learnt]], *, training: bool = False) -> str:
    """Write the SQL of each call in its place.

    Args:
        text: The text that the calls were read from.
        calls: Each call with what it learnt, in the order of the text.
        training: Whether the rows are those that the calls have learnt from.
    """
    for placed, learnt in reversed(calls):
        write: Written = placed.function.sql
        if training and placed.function.training_sql is not None:
            write = placed.function.training_sql
        text = text[: placed.start] + write(placed.call, learnt) + text[placed.stop :]
    return text

"""The TRANSFORM clause: parsed once, fitted on the training rows, replayed at prediction.

Each ``ML.<FUNCTION>(…) OVER ()`` is replaced by plain SQL in which what it learnt stands as
constants, so that prediction needs neither the training rows nor Python.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError
from sqlglot.tokenizer_core import TokenType

from mlpond.engine import Engine
from mlpond.errors import StatementError
from mlpond.models.preprocess import FUNCTIONS, Learnt
from mlpond.sql.dialect.tokens import Cursor, tokenize
from mlpond.sql.dialect.values import read_value
from mlpond.sql.templates.quoting import identifier
from mlpond.sql.templates.renderer import unknown


@dataclass(frozen=True)
class Call:
    """One ``ML.<FUNCTION>(…) OVER ()`` inside an item, by its place in the item's text."""

    function: str
    argument: str
    settings: tuple[Any, ...]
    start: int
    stop: int


@dataclass(frozen=True)
class Item:
    """One item of the clause: a column it makes, and the SQL of that column."""

    alias: str
    text: str
    calls: tuple[Call, ...] = ()

    @property
    def column(self) -> str | None:
        """The name of the input, if the item passes a column through under its own name."""
        tokens = tokenize(self.text)
        if len(tokens) == 1 and not self.calls and tokens[0].text.lower() == self.alias.lower():
            return self.alias
        return None


@dataclass(frozen=True)
class Transform:
    """A TRANSFORM clause; once fitted, ``learnt`` holds what each call learnt."""

    items: tuple[Item, ...]
    learnt: tuple[tuple[Learnt, ...], ...] = ()

    def select_list(self, leave_out: frozenset[str] = frozenset()) -> list[tuple[str, str]]:
        """Return (alias, SQL) of every column, without those left out (lower-case aliases)."""
        return [
            (item.alias, _substitute(item, learnt))
            for item, learnt in zip(self.items, self.learnt, strict=True)
            if item.alias.lower() not in leave_out
        ]

    def query(self, source: str) -> str:
        """Write the query that applies the clause to every row of a relation."""
        columns = ", ".join(f"{sql} as {identifier(alias)}" for alias, sql in self.select_list())
        return f"select {columns} from {source}"


def read_transform(model: str, text: str, columns: list[str]) -> Transform:
    """Parse the clause; ``*`` is written out with the columns of the query.

    Raises:
        StatementError: an item is not of the form that BigQuery ML accepts.
    """
    who = f"CREATE MODEL {model}: TRANSFORM"
    items: list[Item] = []
    for argument in Cursor(text, tokenize(text)).arguments():
        if argument.done:
            raise StatementError(f"{who}: an item is empty; remove the extra comma.")
        items += _read_item(who, argument, columns)
    seen: set[str] = set()
    for item in items:
        if item.alias.lower() in seen:
            raise StatementError(f"{who}: two items are named {item.alias}; rename one.")
        seen.add(item.alias.lower())
        _check_item(who, item)
    return Transform(tuple(items))


def fit_transform(engine: Engine, source: str, transform: Transform) -> Transform:
    """Learn what the calls need from the rows of a relation."""
    learnt = [
        tuple(
            FUNCTIONS[call.function].fit(engine, source, call.argument, call.settings)
            for call in item.calls
        )
        for item in transform.items
    ]
    return replace(transform, learnt=tuple(learnt))


def inputs(transform: Transform, columns: list[str]) -> list[str]:
    """Return the columns of the query that the clause reads, in the query's order."""
    read: set[str] = set()
    for item in transform.items:
        for token in tokenize(item.text):
            if (
                token.token_type in (TokenType.VAR, TokenType.IDENTIFIER)
                or token.text.isidentifier()
            ):
                read.add(token.text.replace('""', '"').lower())
    return [column for column in columns if column.lower() in read]


def _read_item(who: str, argument: Cursor, columns: list[str]) -> list[Item]:
    text = argument.text()
    if argument.is_type(TokenType.STAR):
        argument.index += 1
        return _read_star(who, argument, columns)
    tokens = argument.tokens
    words = [argument.word(offset) for offset in range(len(tokens))]
    if len(tokens) > 2 and words[-2] == "AS" and _depth(tokens) == 0:
        expression = argument.sql[tokens[0].start : tokens[-3].end + 1]
        alias = tokens[-1].text.replace('""', '"')
        return [_item(who, expression, alias)]
    if len(tokens) > 2 and tokens[-1].token_type is TokenType.STAR:
        raise StatementError(
            f"{who}: `{text}` expands a STRUCT; name its fields one by one, as `s.a AS s_a`."
        )
    if all((token.token_type is TokenType.DOT) == bool(i % 2) for i, token in enumerate(tokens)):
        return [_item(who, text, tokens[-1].text.replace('""', '"'))]
    raise StatementError(f"{who}: `{text}` has no name; write `{text} AS name`.")


def _read_star(who: str, argument: Cursor, columns: list[str]) -> list[Item]:
    """Read ``* [EXCEPT (…)] [REPLACE (…)]``."""
    dropped: set[str] = set()
    replaced: dict[str, Item] = {}
    if argument.accept("EXCEPT") or argument.accept("EXCLUDE"):
        dropped = {name.lower() for name in argument.inside().separated(lambda c: c.name())}
    if argument.accept("REPLACE"):
        for part in argument.inside().arguments():
            for item in _read_item(who, part, columns):
                replaced[item.alias.lower()] = item
    if not argument.done:
        argument.fail("expected EXCEPT, REPLACE or a comma after *")
    lower = {column.lower() for column in columns}
    for name in sorted(dropped | set(replaced)):
        if name not in lower:
            raise StatementError(unknown(f"{who}: column", name, columns))
    return [
        replaced.get(column.lower(), Item(column, identifier(column)))
        for column in columns
        if column.lower() not in dropped
    ]


def _item(who: str, text: str, alias: str) -> Item:
    tokens = tokenize(text)
    calls = []
    index = 0
    while index < len(tokens):
        cursor = Cursor(text, tokens)
        cursor.index = index
        if (
            cursor.word() == "ML"
            and index + 1 < len(tokens)
            and tokens[index + 1].token_type is TokenType.DOT
        ):
            calls.append(_call(who, cursor))
            index = cursor.index
        else:
            index += 1
    return Item(alias, text, tuple(calls))


def _call(who: str, cursor: Cursor) -> Call:
    assert cursor.token is not None
    start = cursor.token.start
    cursor.index += 2
    function = cursor.word()
    if function not in FUNCTIONS:
        raise StatementError(unknown(f"{who}: function ML", function, sorted(FUNCTIONS)))
    cursor.index += 1
    arguments = cursor.inside().arguments()
    if not cursor.accept("OVER"):
        raise StatementError(
            f"{who}: ML.{function}(…) learns from all rows; write OVER () behind it."
        )
    inside = cursor.inside()
    if inside.tokens:
        raise StatementError(
            f"{who}: ML.{function}(…) OVER ({inside.text()}): only OVER () is accepted."
        )
    spec = FUNCTIONS[function]
    if not 1 <= len(arguments) <= 1 + len(spec.settings):
        raise StatementError(
            f"{who}: ML.{function} has {len(arguments)} arguments; it takes {spec.usage}."
        )
    argument = arguments[0].text()
    if "ML" in {arguments[0].word(i) for i in range(len(arguments[0].tokens))}:
        raise StatementError(
            f"{who}: ML.{function}({argument}): one ML function inside another is not accepted."
        )
    settings = spec.check(who, tuple(read_value(part) for part in arguments[1:]))
    stop = cursor.tokens[cursor.index - 1].end + 1
    return Call(function, argument, settings, start, stop)


def _depth(tokens: list[Any]) -> int:
    """Brackets open before the AS of the alias; 0 means that the AS is the item's own."""
    opened = sum(
        token.token_type in (TokenType.L_PAREN, TokenType.L_BRACKET) for token in tokens[:-2]
    )
    closed = sum(
        token.token_type in (TokenType.R_PAREN, TokenType.R_BRACKET) for token in tokens[:-2]
    )
    return opened - closed


def _substitute(item: Item, learnt: tuple[Learnt, ...]) -> str:
    text = item.text
    for call, state in reversed(list(zip(item.calls, learnt, strict=True))):
        sql = FUNCTIONS[call.function].sql(call.argument, state)
        text = text[: call.start] + sql + text[call.stop :]
    return f"({text})"


def _check_item(who: str, item: Item) -> None:
    """Refuse what could not be replayed one row at a time."""
    text = item.text
    for call in reversed(item.calls):
        text = f"{text[: call.start]}({call.argument}){text[call.stop :]}"
    try:
        tree = sqlglot.parse_one(text, dialect="duckdb")
    except SqlglotError as error:
        raise StatementError(f"{who}: `{item.text}` cannot be parsed: {error}") from error
    for kind, what in (
        (exp.Query, "a subquery; join in the query instead"),
        (exp.Window, "a window function; only the ML functions may be written with OVER ()"),
        (exp.AggFunc, "an aggregate; aggregate in the query instead"),
    ):
        if tree.find(kind):
            raise StatementError(f"{who}: `{item.text}` holds {what}.")

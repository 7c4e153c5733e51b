"""The TRANSFORM clause: parsed once, fitted on the training rows, replayed at prediction.

Each ``ML.<FUNCTION>(…) OVER ()`` is replaced by plain SQL in which what it learnt stands as
constants, so that prediction needs neither the training rows nor Python.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import duckdb
import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError
from sqlglot.tokenizer_core import TokenType

from mlpond.engine import Engine
from mlpond.errors import InputError, StatementError
from mlpond.models.preprocessing import FUNCTIONS, Learnt, learn
from mlpond.models.preprocessing.reading import Describe, Placed, Reader, substitute
from mlpond.models.source import each_row
from mlpond.sql.dialect.tokens import Cursor, tokenize
from mlpond.sql.templates.quoting import identifier
from mlpond.sql.templates.renderer import unknown


@dataclass(frozen=True)
class Item:
    """One item of the clause: a column it makes, and the SQL of that column."""

    alias: str
    text: str
    calls: tuple[Placed, ...] = ()

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

    def select_list(
        self, leave_out: frozenset[str] = frozenset(), *, training: bool = False
    ) -> list[tuple[str, str]]:
        """Return (alias, SQL) of every column, without those left out (lower-case aliases).

        Args:
            leave_out: Aliases in lower case.
            training: Whether the rows are those that the clause was fitted on.
        """
        return [
            (item.alias, _written(item, learnt, training))
            for item, learnt in zip(self.items, self.learnt, strict=True)
            if item.alias.lower() not in leave_out
        ]

    def query(self, source: str, *, training: bool = False) -> str:
        """Write the query that applies the clause to every row of a relation."""
        columns = ", ".join(
            f"{sql} as {identifier(alias)}" for alias, sql in self.select_list(training=training)
        )
        return f"select {columns} from {source}"


def read_transform(model: str, text: str, columns: list[str], describe: Describe) -> Transform:
    """Parse the clause; ``*`` is written out with the columns of the query.

    Args:
        model: For messages.
        text: What stands in the brackets of TRANSFORM.
        columns: Names of the columns of the training query.
        describe: Tells the types of expressions over them.

    Raises:
        StatementError: an item is not of the form that BigQuery ML accepts.
        InputError: an argument has a type that its function does not take.
    """
    who = f"CREATE MODEL {model}: TRANSFORM"
    reader = Reader(who, FUNCTIONS, tuple(map(identifier, columns)), describe)
    items: list[Item] = []
    for argument in Cursor(text, tokenize(text)).arguments():
        if argument.done:
            raise StatementError(f"{who}: an item is empty; remove the extra comma.")
        items += _read_item(reader, argument, columns)
    seen: set[str] = set()
    for item in items:
        if item.alias.lower() in seen:
            raise StatementError(f"{who}: two items are named {item.alias}; rename one.")
        seen.add(item.alias.lower())
        _check_item(who, item)
    return Transform(tuple(items))


def fit_transform(engine: Engine, source: str, transform: Transform) -> Transform:
    """Learn what the calls need from the rows of a relation."""
    calls = [(placed.function, placed.call) for item in transform.items for placed in item.calls]
    learnt = iter(learn(engine, source, calls))
    return replace(
        transform, learnt=tuple(tuple(next(learnt) for _ in item.calls) for item in transform.items)
    )


def check_items(engine: Engine, source: str, transform: Transform, who: str) -> None:
    """Bind what stands around calls, so that no model is stored whose clause cannot be applied.

    Raises:
        InputError: DuckDB refuses an item, or it does not make one value of one row.
    """
    for item, (_, sql) in zip(transform.items, transform.select_list(), strict=True):
        if [placed.stop - placed.start for placed in item.calls] == [len(item.text)]:
            continue  # its arguments were bound when it was read
        query = f"select 1 from {source}{each_row([sql])}"
        if any(placed.function.over == "series" for placed in item.calls):
            query = f"select {sql} from {source} limit 0"
        try:
            engine.con.sql(query)
        except duckdb.Error as error:
            raise InputError(f"{who}: TRANSFORM: DuckDB refused `{item.text}`: {error}") from error


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


def _read_item(reader: Reader, argument: Cursor, columns: list[str]) -> list[Item]:
    who = reader.who
    text = argument.text()
    if argument.is_type(TokenType.STAR):
        argument.index += 1
        return _read_star(reader, argument, columns)
    tokens = argument.tokens
    words = [argument.word(offset) for offset in range(len(tokens))]
    if len(tokens) > 2 and words[-2] == "AS" and _depth(tokens) == 0:
        expression = argument.sql[tokens[0].start : tokens[-3].end + 1]
        alias = tokens[-1].text.replace('""', '"')
        return [_item(reader, expression, alias)]
    if len(tokens) > 2 and tokens[-1].token_type is TokenType.STAR:
        raise StatementError(
            f"{who}: `{text}` expands a STRUCT; name its fields one by one, as `s.a AS s_a`."
        )
    if all((token.token_type is TokenType.DOT) == bool(i % 2) for i, token in enumerate(tokens)):
        return [_item(reader, text, tokens[-1].text.replace('""', '"'))]
    raise StatementError(f"{who}: `{text}` has no name; write `{text} AS name`.")


def _read_star(reader: Reader, argument: Cursor, columns: list[str]) -> list[Item]:
    """Read ``* [EXCEPT (…)] [REPLACE (…)]``."""
    who = reader.who
    dropped: set[str] = set()
    replaced: dict[str, Item] = {}
    if argument.accept("EXCEPT") or argument.accept("EXCLUDE"):
        dropped = {name.lower() for name in argument.inside().separated(lambda c: c.name())}
    if argument.accept("REPLACE"):
        for part in argument.inside().arguments():
            for item in _read_item(reader, part, columns):
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


def _item(reader: Reader, text: str, alias: str) -> Item:
    return Item(alias, text, tuple(reader.calls(text)))


def _depth(tokens: list[Any]) -> int:
    """Brackets open before the AS of the alias; 0 means that the AS is the item's own."""
    opened = sum(
        token.token_type in (TokenType.L_PAREN, TokenType.L_BRACKET) for token in tokens[:-2]
    )
    closed = sum(
        token.token_type in (TokenType.R_PAREN, TokenType.R_BRACKET) for token in tokens[:-2]
    )
    return opened - closed


def _written(item: Item, learnt: tuple[Learnt, ...], training: bool) -> str:
    calls = list(zip(item.calls, learnt, strict=True))
    return f"({substitute(item.text, calls, training=training)})"


def _check_item(who: str, item: Item) -> None:
    """Refuse what could not be replayed one row at a time."""
    text = item.text
    for placed in reversed(item.calls):
        text = f"{text[: placed.start]}({placed.text}){text[placed.stop :]}"
    try:
        tree = sqlglot.parse_one(text, dialect="duckdb")
    except SqlglotError as error:
        raise StatementError(f"{who}: `{item.text}` cannot be parsed: {error}") from error
    for kind, what in (
        (exp.Query, "a subquery; join in the query instead"),
        (exp.Window, "a window function; only the ML functions may be written with OVER ()"),
        (exp.AggFunc, "an aggregate; aggregate in the query instead"),
        ((exp.Explode, exp.Unnest), "several values of one row; unnest in the query instead"),
    ):
        if any(isinstance(node, kind) for node in tree.walk()):
            raise StatementError(f"{who}: `{item.text}` holds {what}.")

"""Rewriting ``ML.<FUNCTION>(MODEL m, TABLE t, STRUCT(…))`` to ``ml.<function>('m', 't', …)``.

The rewritten call is what a plain DuckDB shell runs: every argument is text or a constant. A
preprocessing function with OVER () becomes the macro that holds its window.
"""

from __future__ import annotations

from sqlglot.tokenizer_core import Token, TokenType

from mlpond.errors import StatementError
from mlpond.sql.dialect.preprocessing import rewrite_preprocessing
from mlpond.sql.dialect.tokens import Cursor
from mlpond.sql.templates.quoting import string

_TRIAL = "trial_id := "
# Functions of a table or query alone: a query in brackets tells no more from a scalar's argument.
_OF_DATA = ("describe_data",)


def rewrite_calls(sql: str, tokens: list[Token]) -> str:
    """Return the text of the tokens with its ML calls rewritten, all else as it was."""
    if not tokens:
        return ""
    position = tokens[0].start
    pieces = []
    index = 0
    while index < len(tokens):
        end = _call_at(tokens, index)
        if end is None:
            index += 1
            continue
        rewritten = _rewrite(sql, tokens[index:end])
        if rewritten is None:
            found = rewrite_preprocessing(sql, tokens, index, end, rewrite_calls)
            if found is not None:
                rewritten, end = found
        if rewritten is not None:
            pieces += [sql[position : tokens[index].start], rewritten]
            position = tokens[end - 1].end + 1
            index = end
        else:
            index += 1
    pieces.append(sql[position : tokens[-1].end + 1])
    return "".join(pieces)


def _call_at(tokens: list[Token], index: int) -> int | None:
    """Return the index after the call ``ML . name ( … )`` that starts here, or None."""
    head = tokens[index : index + 4]
    if (
        len(head) < 4
        or head[0].text.upper() != "ML"
        or head[1].token_type is not TokenType.DOT
        or head[3].token_type is not TokenType.L_PAREN
    ):
        return None
    cursor = Cursor("", tokens)
    cursor.index = index + 3
    try:
        cursor.span()
    except StatementError:
        return None
    return cursor.index


def _rewrite(sql: str, tokens: list[Token]) -> str | None:
    """Rewrite one call; None when it has no MODEL, TABLE or query among its arguments."""
    function = tokens[2].text.lower()
    arguments = Cursor(sql, tokens[4:-1]).arguments()
    of_query = function in _OF_DATA and arguments and arguments[0].is_type(TokenType.L_PAREN)
    if not of_query and not any(_is_marked(argument) for argument in arguments):
        return None
    # ML.DETECT_ANOMALIES has its settings before the data; DuckDB wants named arguments last
    arguments.sort(key=lambda argument: argument.word() == "STRUCT")
    trial = next(filter(None, map(_trial, arguments)), None)
    written = [_argument(argument, trial) for argument in arguments]
    return f"ml.{function}({', '.join(filter(None, written))})"


def _is_marked(argument: Cursor) -> bool:
    return argument.word() in ("MODEL", "TABLE") and len(argument.tokens) > 1


def _trial(argument: Cursor) -> str | None:
    """Find ``STRUCT(3 AS trial_id)``: it says which version of the model is meant."""
    if argument.word() != "STRUCT":
        return None
    cursor = Cursor(argument.sql, argument.tokens)
    cursor.accept("STRUCT")
    named = [_named(field) for field in cursor.inside().arguments()]
    found = [text.removeprefix(_TRIAL) for text in named if text.startswith(_TRIAL)]
    if found and not found[0].isdigit():
        raise StatementError(f"ML call: trial_id is {found[0]}; it must be a number such as 3.")
    return found[0] if found else None


def _argument(argument: Cursor, trial: str | None) -> str:
    if argument.done:
        raise StatementError("ML call: an argument is empty; remove the extra comma.")
    if _is_marked(argument) and argument.accept("MODEL"):
        name = argument.name("the name of the model")
        _whole(argument)
        if trial is None:
            return string(name)
        if "@" in name:
            raise StatementError(
                f"ML call: trial_id = {trial} belongs to the default version, but MODEL {name} "
                "names another; leave one of them out."
            )
        return string(f"{name}@trial_{trial}")
    if _is_marked(argument) and argument.accept("TABLE"):
        text = argument.text().replace("`", '"')
        argument.name("the name of a table")
        _whole(argument)
        return string(text)
    if argument.is_type(TokenType.L_PAREN):
        inner = rewrite_calls(argument.sql, argument.tokens)
        return string(inner)
    if argument.word() in ("SELECT", "WITH", "FROM"):
        return string(f"({rewrite_calls(argument.sql, argument.tokens)})")
    if argument.word() == "GENERATE_ARRAY":
        return f"ml.{argument.text().lower()}"
    if argument.accept("STRUCT"):
        named = [_named(field) for field in argument.inside().arguments()]
        return ", ".join(text for text in named if not text.startswith(_TRIAL))
    return argument.text()


def _named(field: Cursor) -> str:
    """Turn ``0.5 AS threshold`` into ``threshold := 0.5``."""
    words = [token.text.upper() for token in field.tokens]
    if "AS" not in words:
        field.fail("expected `value AS name` in the STRUCT of settings")
    at = len(words) - 1 - words[::-1].index("AS")
    value, name = field.tokens[:at], field.tokens[at + 1 :]
    if not value or len(name) != 1:
        field.fail("expected `value AS name` in the STRUCT of settings")
    text = field.sql[value[0].start : value[-1].end + 1]
    return f"{name[0].text.lower()} := {text}"


def _whole(argument: Cursor) -> None:
    if not argument.done:
        argument.fail("expected a comma or the closing bracket")

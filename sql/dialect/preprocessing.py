"""Rewriting preprocessing functions in queries, such as ``ML.MIN_MAX_SCALER(x) OVER ()``.

``ml.min_max_scaler(x)`` is a macro that holds the window, so OVER () goes, and
``OVER (PARTITION BY g)`` becomes ``per := g``. What learns from lists gets its dictionary from a
subquery over the same FROM and WHERE, which runs once.
"""

from __future__ import annotations

from collections.abc import Callable

from sqlglot.tokenizer_core import Token

from mlpond.errors import StatementError
from mlpond.sql.dialect.combinations import (
    MOST_FIELDS,
    Field,
    feature_cross,
    interactions,
    polynomial_expand,
)
from mlpond.sql.dialect.structs import struct_fields
from mlpond.sql.dialect.tokens import OPENING, Cursor
from mlpond.sql.dialect.values import read_value

Rewrite = Callable[[str, list[Token]], str]


def _cross(fields: list[Field], degree: int) -> str:
    return feature_cross([(name, f"ml.utc_text({sql})") for name, sql in fields], degree)


# Functions of a STRUCT: how they are written out, and the degrees that they take.
_STRUCTS: dict[str, tuple[Callable[[list[Field], int], str], tuple[int, ...]]] = {
    "FEATURE_CROSS": (_cross, (2, 3, 4)),
    "INTERACTIONS": (interactions, (2, 3, 4)),
    "POLYNOMIAL_EXPAND": (polynomial_expand, (1, 2, 3, 4)),
}
# Functions that learn from lists, and the aggregate that makes their dictionary.
_DICTIONARIES = {
    "MULTI_HOT_ENCODER": "category_dictionary",
    "BAG_OF_WORDS": "word_dictionary",
    "TF_IDF": "word_dictionary",
}
# Macros that hold their window.
WINDOWS = frozenset(
    ["COUNT_ENCODER", "GROUP_STATISTIC", "IMPUTER", "LABEL_ENCODER", "MAX_ABS_SCALER",
     "MIN_MAX_SCALER", "ONE_HOT_ENCODER", "ORDINAL_ENCODER", "QUANTILE_BUCKETIZE", "RARE_GROUPER",
     "ROBUST_SCALER", "STANDARD_SCALER", "WINSORIZER"]
)  # fmt: skip
# Functions that learn in several scans, or cross-fit: a session learns them before the query runs.
LEARNT_FIRST = frozenset(
    ["BOX_COX", "GROUP_IMPUTER", "KBINS", "KNN_IMPUTER", "QUANTILE_TRANSFORMER", "SPLINE",
     "TARGET_ENCODER", "WEIGHT_OF_EVIDENCE", "YEO_JOHNSON"]
)  # fmt: skip
# Those of them that are macros too, if OVER () does not follow.
MACROS_TOO = frozenset(["WEIGHT_OF_EVIDENCE"])
# What a session learns first too, where it can: as macros they would look through a list of all
# categories, words or cuts at every row, or have a type of their own.
RATHER_LEARNT_FIRST = frozenset(
    ["IMPUTER", "LABEL_ENCODER", "ONE_HOT_ENCODER", "QUANTILE_BUCKETIZE", *_DICTIONARIES]
)
# Functions of a row with forms that no macro has, such as ML.CALENDAR_PARTS(t, ['year', 'hour']):
# a session writes them out.
OF_A_ROW = frozenset(
    ["CALENDAR_PARTS", "CHARACTER_NGRAMS", "DISTANCE", "HASHED_FEATURES", "LP_NORM", "NORMALIZER"]
)
OF_A_SERIES = frozenset(["EXPANDING", "LINEAR_INTERPOLATION", "LAG", "LAST_KNOWN", "ROLLING"])
WRITTEN_OUT = OF_A_ROW | OF_A_SERIES
OF_SESSIONS = LEARNT_FIRST | RATHER_LEARNT_FIRST | WRITTEN_OUT
# What ends FROM … WHERE …
_CLAUSES = frozenset(
    ["GROUP", "HAVING", "WINDOW", "QUALIFY", "ORDER", "LIMIT", "OFFSET", "SELECT"]
)  # fmt: skip
_QUERIES = ("SELECT", "FROM", "VALUES", "WITH")
_BEGINNINGS = (*_QUERIES, "ALL", "BY", "DISTINCT")


def rewrite_preprocessing(
    sql: str, tokens: list[Token], index: int, end: int, rewrite: Rewrite, *, learns: bool = True
) -> tuple[str, int] | None:
    """Rewrite the call ``ML . name ( … )`` at tokens[index:end], with OVER (…) behind it.

    Args:
        sql: The whole text.
        tokens: Of the statement.
        index: Of the token ML.
        end: The index after the closing bracket.
        rewrite: Rewrites the calls in some of the tokens.
        learns: Whether the session tries to learn RATHER_LEARNT_FIRST first.

    Returns:
        The text, and the index after what it stands for; None if DuckDB can take it as it is.
    """
    name = tokens[index + 2].text.upper()
    arguments = Cursor(sql, tokens[index + 4 : end - 1]).arguments()
    if name in _STRUCTS:
        return _write_struct(name, arguments, rewrite), end
    after = Cursor(sql, tokens)
    after.index = end
    if (name not in WINDOWS and name not in _DICTIONARIES) or not after.accept("OVER"):
        return None
    over = after.inside() if after.token and after.token.token_type in OPENING else None
    if over is None:
        raise StatementError(
            f"ML.{name}(…) OVER {after.word()}: a named window is not accepted; write OVER () or "
            "OVER (PARTITION BY …)."
        )
    if learns and over.done and name in RATHER_LEARNT_FIRST:
        return None
    texts = [rewrite(sql, argument.tokens) for argument in arguments]
    if not over.done and (name in _DICTIONARIES or name == "ORDINAL_ENCODER"):
        what = "dictionary is that of all rows" if name in _DICTIONARIES else "order is given"
        raise StatementError(f"ML.{name}(…) OVER ({over.text()}): its {what}; write OVER ().")
    if name in _DICTIONARIES:
        rows = rows_of(name, sql, tokens, index, rewrite)
        dictionary = f"(select ml.{_DICTIONARIES[name]}({', '.join(texts)}) {rows})"
        return f"ml.{name.lower()}({texts[0]}, {dictionary})", after.index
    if name == "IMPUTER" and len(arguments) == 2 and texts[1] == "'most_frequent'":
        name, texts = "imputer_most_frequent", texts[:1]
    if not over.done:
        text = over.text()
        is_partition = over.accept("PARTITION BY") or over.accept("PARTITION", "BY")
        groups = over.arguments()
        words = {_first(group, i) for group in groups for i in range(len(group.tokens))}
        if not is_partition or words & {"ORDER", "ROWS", "RANGE", "GROUPS"}:
            raise StatementError(
                f"ML.{name}(…) OVER ({text}): it learns from all rows, or from those of each "
                "group; write OVER () or OVER (PARTITION BY …)."
            )
        listed = ", ".join(group.text() for group in groups)
        texts.append(f"per := {listed}" if len(groups) == 1 else f"per := row({listed})")
    return f"ml.{name.lower()}({', '.join(texts)})", after.index


def _first(cursor: Cursor, offset: int = 0) -> str:
    """The next word, or the first of the words that the tokenizer joins, as in GROUP BY."""
    return cursor.word(offset).partition(" ")[0]


def _write_struct(name: str, arguments: list[Cursor], rewrite: Rewrite) -> str:
    write, degrees = _STRUCTS[name]
    fields = None
    if arguments:
        fields = struct_fields(rewrite(arguments[0].sql, arguments[0].tokens))
    least = 2 if name == "FEATURE_CROSS" else 1
    if fields is None or not least <= len(fields) <= MOST_FIELDS:
        raise StatementError(
            f"ML.{name}: the first argument must be written as STRUCT(a, b AS c), with {least} to "
            f"{MOST_FIELDS} fields; SQL must know their names before it runs."
        )
    degree = read_value(arguments[1]) if len(arguments) > 1 else 2
    if degree not in degrees or len(arguments) > 2:
        raise StatementError(
            f"ML.{name}: degree is {degree}; it must be from {degrees[0]} to {degrees[-1]}."
        )
    return write(fields, degree)


def rows_of(name: str, sql: str, tokens: list[Token], index: int, rewrite: Rewrite) -> str:
    """Find FROM … WHERE … of the query that the call at tokens[index] stands in."""
    cursor = Cursor(sql, tokens)
    places = _query_around(cursor, index)
    found = _clause(cursor, places, "FROM")
    if found is None:
        raise StatementError(
            f"ML.{name}(…) OVER (): write it as SELECT ML.{name}(…) OVER () … FROM …, so that it "
            "can learn from the same rows."
        )
    rows = rewrite(sql, tokens[slice(*found)])
    cursor.index = found[1]
    if _first(cursor) == "SELECT":  # FROM … SELECT … WHERE …
        where = _clause(cursor, [at for at in places if at > found[1]], "WHERE")
        rows += "" if where is None else f" {rewrite(sql, tokens[slice(*where)])}"
    return rows


def _query_around(cursor: Cursor, index: int) -> list[int]:
    """The places of the tokens of the query around a token, without what is in brackets."""
    parts, stack = list[int](), [0]
    around = {0: 0}  # each part, and the one that its brackets stand in; itself if it is a query
    for at, token in enumerate(cursor.tokens):
        cursor.index = at
        if token.token_type in OPENING:
            parts.append(stack[-1])
            part = len(around)
            around[part] = part if _first(cursor, 1) in _QUERIES else stack[-1]
            stack.append(part)
            continue
        if token.token_type in OPENING.values() and len(stack) > 1:
            stack.pop()
        elif _is_set_operator(cursor):
            stack[-1] = len(around)
            around[stack[-1]] = stack[-1]
        parts.append(stack[-1])
    found = parts[index]
    while around[found] != found:
        found = around[found]
    return [at for at, part in enumerate(parts) if part == found]


def _is_set_operator(cursor: Cursor) -> bool:
    if _first(cursor) in ("UNION", "INTERSECT"):
        return True
    # not that of SELECT * EXCEPT (a)
    following = _first(cursor, 2 if cursor.word(1) == "(" else 1)
    return _first(cursor) == "EXCEPT" and following in _BEGINNINGS


def _clause(cursor: Cursor, places: list[int], word: str) -> tuple[int, int] | None:
    """Where a clause begins and what follows it begins."""
    start = None
    for at in places:
        cursor.index = at
        if start is None:
            # x IS DISTINCT FROM y
            start = at if _first(cursor) == word and cursor.word(-1) != "DISTINCT" else None
        elif _first(cursor) in _CLAUSES or (cursor.word(), cursor.word(1)) == ("USING", "SAMPLE"):
            return start, at
    return None if start is None else (start, places[-1] + 1)

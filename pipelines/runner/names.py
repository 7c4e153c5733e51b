"""Names of relations: quoting, comparing, suggesting."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

import sqlglot
from sqlglot import TokenType

from mlpond.sql.templates.quoting import identifier, name_parts

Key = tuple[str, ...]


def quote(*parts: str) -> str:
    """The parts of a name as one quoted SQL name: quote('a', 'b c') is "a"."b c"."""
    return ".".join(identifier(part) for part in parts)


def typed(*parts: str) -> str:
    """The parts of a name as one types it: quoted only where DuckDB needs it."""
    return ".".join(part if _needs_no_quotes(part) else identifier(part) for part in parts)


def folded(*parts: str) -> Key:
    """The parts of a name as they compare in DuckDB, which ignores case."""
    return tuple(part.casefold() for part in parts)


def shown(reference: str) -> str:
    """A name as people write it: a file path without the quotes around it."""
    parts = name_parts(reference)
    return parts[0] if len(parts) == 1 else reference


def same(a: str, b: str) -> bool:
    """Whether two names are the same to DuckDB, which ignores case."""
    return a.casefold() == b.casefold()


def suggest(name: str, known: Iterable[str]) -> str:
    """A hint at the end of an error: the nearest known names, or all of them when few."""
    names = sorted(set(known))
    if not names:
        return "there are none"
    by_fold = {known_name.casefold(): known_name for known_name in names}
    near = difflib.get_close_matches(name.casefold(), by_fold, n=3, cutoff=0.6)
    # a table is often right and its schema missing or wrong
    last = name.rsplit(".", 1)[-1].casefold()
    near += [fold for fold in by_fold if fold.rsplit(".", 1)[-1] == last and fold not in near]
    if near:
        return "did you mean " + " or ".join(by_fold[fold] for fold in near) + "?"
    shown = ", ".join(names[:20])
    return f"there are: {shown}" + (", …" if len(names) > 20 else "")


def _needs_no_quotes(name: str) -> bool:
    tokens = sqlglot.tokenize(name, dialect="duckdb")
    return len(tokens) == 1 and tokens[0].token_type == TokenType.VAR  # not a keyword
